#include "ipnscast/sync/dnslink/dnslink.h"

using namespace ipnscast;
using namespace ipnscast::sync::dnslink;

// An answer of a DNS server, and the DNSLink in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView message(data, size);
  const uint16_t id = size < 2 ? 0 : static_cast<uint16_t>(data[0] << 8 | data[1]);
  if (const auto answer = read_txt_answer(message, "_dnslink.a.b", id)) {
    const auto value = dnslink_value(answer->texts);
    (void)value;
  }
  return 0;
}
