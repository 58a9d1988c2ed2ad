#include "ipnscast/sync/source/known_hints.h"

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

const char* const kOne = "/ipfs/bafkqaaa";
const char* const kTwo = "/ipfs/bafkqabdbmjrwi";

struct Heard {
  nostr::SecretKey author = nostr::SecretKey::generate();
  IpnsName name = IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))->name();
  KnownHints known;

  nostr::Event hint(uint64_t sequence, const char* value, int64_t at = 1000) {
    const auto event = nostr::sign_event(author, *make_hint_event({.name = name,
                                                                   .cid = *root_of(value),
                                                                   .sequence = {sequence},
                                                                   .timestamp = {},
                                                                   .version = 0,
                                                                   .device_id = {},
                                                                   .parent = {},
                                                                   .record = {}},
                                                                  {at}));
    known.read(event, *parse_hint(event));
    return event;
  }
  nostr::Filter filter() const { return hint_filters({name}, {}, {kHintKind}, false).front(); }
  size_t count() const { return known.of(filter()).size(); }
};

}  // namespace

TEST_CASE("a hint counts as known only once a record as new as its claim is committed") {
  Heard h;
  const auto event = h.hint(5, kOne);
  CHECK(h.count() == 0);
  h.known.committed(h.name, {4}, kOne);
  CHECK(h.count() == 0);
  h.known.committed(h.name, {5}, kTwo);  // a conflict: it has to be looked at again
  CHECK(h.count() == 0);
  h.known.committed(h.name, {5}, kOne);
  REQUIRE(h.count() == 1);
  CHECK(h.known.of(h.filter()).front() == nostr::NegentropyItem{event.created_at, event.id});
  h.known.committed(h.name, {6}, kTwo);
  CHECK(h.count() == 1);
}

TEST_CASE("a hint without a sequence is never known, and of an address the latest counts") {
  Heard h;
  h.known.committed(h.name, {5}, kOne);
  h.hint(0, kOne);
  CHECK(h.count() == 0);
  const auto latest = h.hint(5, kOne, 2000);
  h.hint(4, kOne, 1500);  // an older version, from a relay that lags
  REQUIRE(h.count() == 1);
  CHECK(h.known.of(h.filter()).front().id == latest.id);
  h.hint(9, kTwo, 3000);  // claims more than is committed
  CHECK(h.count() == 0);
}

TEST_CASE("what is known is given by filter, and forgotten with the name") {
  Heard h;
  h.known.committed(h.name, {5}, kOne);
  h.hint(5, kOne);
  nostr::Filter other = h.filter();
  other.kinds = {kPublicHintKind};
  CHECK(h.known.of(other).empty());
  other = h.filter();
  other.authors = {nostr::SecretKey::generate().public_key()};
  CHECK(h.known.of(other).empty());
  other = h.filter();
  other.tags['d'] = {"ipns-sync-another"};
  CHECK(h.known.of(other).empty());
  other.tags.clear();
  CHECK(h.known.of(other).size() == 1);
  h.known.forget(h.name);
  CHECK(h.count() == 0);
  h.known.committed(h.name, {5}, kOne);
  CHECK(h.count() == 0);  // it has to come again
}
