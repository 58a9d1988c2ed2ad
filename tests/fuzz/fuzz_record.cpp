#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/sync/writer/version_vector.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// The bytes as a record, and as the data of a record that is well signed, so that what lies behind
// the signature is reached too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const IpnsKey key = *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 1));
  const ByteView bytes(data, size);
  static_cast<void>(peek_record(bytes));
  // There is one way to write a version vector.
  const auto vector = decode_vector(bytes);
  if (vector && encode_vector(*vector) != Bytes(bytes.begin(), bytes.end())) std::abort();
  static_cast<void>(verify_record(key.name(), bytes, {0}));
  Bytes message = to_bytes("ipns-signature:");
  append(message, bytes);
  Bytes record;
  append_bytes_field(record, 8, *key.sign(message));
  append_bytes_field(record, 9, bytes);
  const auto verified = verify_record(key.name(), record, {0});
  if (verified && verified->fields().sequence.value > kMaxSequence) std::abort();
  if (verified) {
    const auto announcer = announcer_of(verified->fields());
    if (announcer && announcer->relays.size() > 8) std::abort();
    static_cast<void>(previous_of(verified->fields()));
    static_cast<void>(vector_of(verified->fields()));
  }
  return 0;
}
