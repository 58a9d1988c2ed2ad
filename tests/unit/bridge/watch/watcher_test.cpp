#include "ipnscast/bridge/watch/watcher.h"

#include "ipnscast/bridge/announce/announced.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using sync::IpnsRecord;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};
const char* const kOne = "/ipfs/bafkqaaa";
const char* const kTwo = "/ipfs/bafkqabdbmjrwi";

sync::IpnsKey key() {
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 7)));
}

IpnsRecord record(uint64_t sequence, std::string value = kOne,
                  std::chrono::hours lifetime = std::chrono::hours(48)) {
  return *sync::create_record(
      key(), {.value = value, .sequence = {sequence}, .eol = sync::Eol::after(kNow, lifetime)});
}

UnixMillis after(std::chrono::hours time) {
  return {kNow.value + std::chrono::milliseconds(time).count()};
}

// A name whose record was announced when it was found.
AnnouncedName announced(const IpnsRecord& known) {
  const auto held = sync::known_record(known);
  return {key().name(), held, LastHint{held.sequence, held.value, held.eol, kNow}};
}

sync::ResolveUpdate finished(std::vector<std::string> answers) {
  sync::ResolveUpdate update;
  for (auto& answer : answers) update.report.sources.push_back({"http://a", answer, {}, {}, {}});
  return update;
}

}  // namespace

TEST_CASE("what was never announced is owed, also when it was known before (S0-39)") {
  AnnouncedName name{key().name(), sync::known_record(record(1)), {}};
  CHECK(owed(name, kNow) == Owed::change);
}

TEST_CASE("another value is a change, the same value again is a refresh that nobody hears of") {
  AnnouncedName name = announced(record(1));
  CHECK(owed(name, kNow) == Owed::nothing);
  name.record = sync::known_record(record(2));
  CHECK(owed(name, kNow) == Owed::nothing);
  name.record = sync::known_record(record(2, kTwo));
  CHECK(owed(name, kNow) == Owed::change);
}

TEST_CASE("a hint is renewed when half of its life is over and a later end of life is known") {
  AnnouncedName name = announced(record(1));
  CHECK(owed(name, after(std::chrono::hours(47))) == Owed::nothing);  // nothing later is known
  name.record = sync::known_record(record(1, kOne, std::chrono::hours(72)));
  CHECK(owed(name, after(std::chrono::hours(23))) == Owed::nothing);
  CHECK(owed(name, after(std::chrono::hours(25))) == Owed::renewal);
  CHECK(owed(name, after(std::chrono::hours(72))) == Owed::nothing);  // that one is over as well
}

TEST_CASE("a value without a CID and an expired record are not announced") {
  const AnnouncedName link{key().name(), sync::known_record(record(1, "/ipns/example.org")), {}};
  CHECK(owed(link, kNow) == Owed::nothing);
  const AnnouncedName old{key().name(), sync::known_record(record(1)), {}};
  CHECK(owed(old, after(std::chrono::hours(49))) == Owed::nothing);
}

TEST_CASE("what is known and what was announced survive in the state file (R32)") {
  const auto db = store::Database::open(":memory:", {bridge_schema()});
  REQUIRE(db);
  AnnouncedName name = announced(record(9'000'000'000, kTwo));
  CHECK_FALSE(save_hint(**db, name.name, *name.hint));
  REQUIRE(save_record(**db, name.name, name.record));
  REQUIRE(save_hint(**db, name.name, *name.hint));
  name.record = sync::known_record(record(9'000'000'001));
  REQUIRE(save_record(**db, name.name, name.record));
  const auto loaded = load_announced(**db);
  REQUIRE(loaded);
  REQUIRE(loaded->size() == 1);
  CHECK(loaded->front().name == name.name);
  CHECK(loaded->front().record == name.record);
  CHECK(loaded->front().hint == name.hint);
}

TEST_CASE("a poll fails when nobody answered; \"not found\" is an answer (R21)") {
  CHECK(read_poll(key().name(), 1, finished({"error: connection refused", "no answer"})).failed);
  CHECK(read_poll(key().name(), 1, finished({})).failed);
  CHECK_FALSE(read_poll(key().name(), 1, finished({"error: 500", "not found"})).failed);
  CHECK_FALSE(read_poll(key().name(), 1, finished({"expired record"})).failed);
  auto unchanged = finished({"unchanged"});
  unchanged.unchanged = true;
  CHECK_FALSE(read_poll(key().name(), 1, unchanged).failed);
}

TEST_CASE("a poll's record comes with the URL that had it") {
  sync::ResolveUpdate update = finished({"not found", "record"});
  update.kind = sync::ResolveUpdate::Kind::record;
  update.report.sources[1].url = "http://b";
  update.report.sources[1].sequence = sync::Sequence{4};
  update.report.best = record(4);
  const PollUpdate read = read_poll(key().name(), 1, update);
  REQUIRE(read.record);
  CHECK(read.record->sequence.value == 4);
  CHECK(read.source == "http://b");
  CHECK_FALSE(read.over);
}
