#include <cstdlib>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/net/stream/proxy_handshake.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;

// Answers of a proxy, in parts of any size: the same verdict as in one piece, and never a byte
// taken beyond the end. The first byte picks kind and size of the parts; a URL is read as well.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)ProxyUrl::parse(as_text({data, size}));
  if (size == 0) return 0;
  ProxyUrl proxy;
  proxy.kind = (data[0] & 1) != 0 ? ProxyKind::socks5 : ProxyKind::http_connect;
  if ((data[0] & 2) != 0) proxy.user = proxy.password = "name";
  const size_t part = 1 + (data[0] >> 2);
  const std::string_view answers = as_text({data + 1, size - 1});

  ProxyHandshake whole(proxy, "relay.example", 443);
  const size_t used = whole.feed(answers);
  ProxyHandshake parts(proxy, "relay.example", 443);
  size_t used_in_parts = 0;
  while (used_in_parts < answers.size()) {
    const size_t more = parts.feed(answers.substr(used_in_parts, part));
    if (more == 0) break;
    used_in_parts += more;
  }
  if (used > answers.size() || used != used_in_parts) std::abort();
  if (whole.state() != parts.state() || whole.problem() != parts.problem()) std::abort();
  if (whole.take_output() != parts.take_output()) std::abort();
  return 0;
}
