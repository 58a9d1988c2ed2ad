#include "ipnscast/sync/engine/deduplicator.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using Strength = Deduplicator::Strength;

namespace {

IpnsName name(uint8_t tag) { return IpnsName::from_key({KeyType::ed25519, Bytes(32, tag)}); }

Deduplicator::Sighting seen(std::optional<uint64_t> sequence, std::string value,
                            Strength strength = Strength::trusted) {
  Deduplicator::Sighting out;
  if (sequence) out.sequence = Sequence{*sequence};
  out.value = std::move(value);
  out.strength = strength;
  return out;
}

}  // namespace

TEST_CASE(
    "the same hint from another source is dropped and counted for that source (S0-54, S0-56)") {
  Deduplicator gate;
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::nostr));
  CHECK_FALSE(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::websocket));
  CHECK_FALSE(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::websocket));
  CHECK(gate.duplicates(SourceKind::websocket) == 2);
  CHECK(gate.duplicates(SourceKind::nostr) == 0);
  CHECK(gate.admit(name(2), seen(5, "/ipfs/a"), SourceKind::nostr));
}

TEST_CASE("a value that returns under a higher sequence is not swallowed (R13)") {
  Deduplicator gate;
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::nostr));
  CHECK(gate.admit(name(1), seen(6, "/ipfs/b"), SourceKind::nostr));
  CHECK(gate.admit(name(1), seen(7, "/ipfs/a"), SourceKind::nostr));
  CHECK_FALSE(gate.admit(name(1), seen(6, "/ipfs/b"), SourceKind::nostr));
}

TEST_CASE("without sequences only the latest value is a duplicate (S0-44)") {
  Deduplicator gate;
  CHECK(gate.admit(name(1), seen({}, "/ipfs/a"), SourceKind::sse));
  CHECK_FALSE(gate.admit(name(1), seen({}, "/ipfs/a"), SourceKind::sse));
  CHECK(gate.admit(name(1), seen({}, "/ipfs/b"), SourceKind::sse));
  CHECK(gate.admit(name(1), seen({}, "/ipfs/a"), SourceKind::sse));
}

TEST_CASE("a stranger's copy does not hide the trusted hint or the record that follow") {
  Deduplicator gate;
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a", Strength::stranger), SourceKind::nostr));
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a", Strength::trusted), SourceKind::nostr));
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a", Strength::record), SourceKind::poll));
  auto later = seen(5, "/ipfs/a", Strength::record);
  CHECK_FALSE(gate.admit(name(1), later, SourceKind::poll));
  later.eol.seconds = 1;
  CHECK(gate.admit(name(1), later, SourceKind::poll));
}

TEST_CASE("after a failure the same hint may try again") {
  Deduplicator gate;
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::nostr));
  gate.failed(name(1));
  CHECK(gate.admit(name(1), seen(5, "/ipfs/a"), SourceKind::nostr));
}

TEST_CASE("what is remembered is bounded per name and in all") {
  Deduplicator gate(10);
  for (uint64_t i = 1; i < 1000; ++i)
    CHECK(gate.admit(name(1), seen(i, "/ipfs/a"), SourceKind::nostr));
  CHECK(gate.admit(name(1), seen(1, "/ipfs/a"), SourceKind::nostr));
  for (uint8_t i = 0; i < 100; ++i) gate.admit(name(i), seen(1, "/ipfs/a"), SourceKind::nostr);
  CHECK(gate.size() == 10);
}
