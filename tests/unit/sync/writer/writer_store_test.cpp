#include "ipnscast/sync/writer/writer_store.h"

#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

IpnsKey key(uint8_t number) { return *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, number)); }
Cid cid(uint8_t tag) { return {1, 0x55, {0x12, Bytes(32, tag)}}; }
std::string value(uint8_t tag) { return "/ipfs/" + cid(tag).to_string(); }

// Valid until `end`, in seconds; the past is fine.
SeenRecord record(const IpnsKey& by, uint64_t sequence, uint8_t tag, int64_t end = 4'000'000'000,
                  std::optional<VersionVector> vector = {}) {
  RecordOptions options{.value = value(tag), .sequence = {sequence}, .eol = {end, 0}};
  if (vector) options.extra.emplace(kVectorKey, encode_vector(*vector));
  return seen_record(*create_record(by, options));
}

DeviceTag tag(uint8_t number) {
  DeviceTag out;
  out.bytes.fill(number);
  return out;
}

// A state file as the version before this one left it: schema 4.
class LandedState {
 public:
  LandedState() {
    store::Schema schema = sync_schema();
    while (schema.migrations.back().number > 4) schema.migrations.pop_back();
    db_ = std::move(*store::Database::open(file_, {schema}));
  }
  store::Database& db() { return *db_; }
  // A row of sync_names as that version wrote it.
  void follow(const IpnsKey& by, const SeenRecord& seen, std::optional<Version> handed) {
    auto s = db_->prepare(
        "INSERT INTO sync_names(name, watched, fetch_content, sequence, value, eol_seconds, "
        "eol_nanoseconds, data, record, stale, source, endpoint, unconfirmed, seen_ms, "
        "handed_sequence, handed_value, failures, retry_at_ms) "
        "VALUES(?,1,1,?,?,?,?,?,?,0,0,'',0,0,?,?,0,0)");
    const KnownRecord& record = seen.record;
    s.bind(ByteView(by.name().bytes())).bind(static_cast<int64_t>(record.sequence.value));
    s.bind(record.value).bind(record.eol.seconds).bind(int64_t{record.eol.nanoseconds});
    s.bind(ByteView(record.data)).bind(ByteView(record.bytes));
    if (handed) {
      s.bind(static_cast<int64_t>(handed->sequence.value)).bind(handed->value);
    } else {
      s.bind_null().bind_null();
    }
    REQUIRE(s.run());
  }
  std::unique_ptr<store::Database> upgraded() {
    db_.reset();
    auto db = store::Database::open(file_, {sync_schema()});
    REQUIRE(db);
    return std::move(*db);
  }

 private:
  test::TempDir dir_;
  std::filesystem::path file_ = dir_.path() / kStateFile;
  std::unique_ptr<store::Database> db_;
};

OwnName own_of(const IpnsKey& by, const SeenRecord& seen) {
  return {by.name(), seen.record.sequence, seen.record.value, 1, seen.record.bytes};
}

}  // namespace

TEST_CASE("what the writer of a name knows comes back from the file as it was written (R33)") {
  const auto db = std::move(*store::Database::open(":memory:", {sync_schema()}));
  const IpnsKey by = key(1);
  VersionVector vector;
  vector.raise(tag(1), {7, {40}});
  vector.raise(tag(2), {1, {41}});
  WriterState state;
  state.tag = tag(1);
  state.count = 9;
  state.highest = {kMaxSequence};
  state.base = WriterState::Base{{{40}, value(1)}, vector};
  state.known = record(by, 42, 2, 4'000'000'000, vector);
  state.contested = WriterState::Contested{{42}, value(3)};
  state.owed = record(by, 42, 2);
  state.before_queue = record(by, 39, 4, 1'000);
  OwnPublish lost{.tag = tag(9), .count = 3, .seen = record(by, 38, 5, 1'000, vector)};
  lost.state = OwnPublish::State::lost;
  lost.theirs = record(by, 39, 4);
  lost.made_on = Version{{37}, value(6)};
  lost.certain = false;
  lost.told = true;
  OwnPublish open{.tag = tag(1), .count = 9, .seen = record(by, 43, 7, 4'000'000'000, vector)};
  open.state = OwnPublish::State::tentative;
  open.expected = Sequence{42};
  open.twin = OwnPublish::Twin{tag(2), 1};
  open.queued = true;
  state.own = {lost, open};
  REQUIRE(save_writer(*db, by.name(), state));
  auto loaded = load_writer(*db, by.name());
  REQUIRE(loaded);
  CHECK(*loaded == state);

  CHECK(count_lost(*db) == std::map<IpnsName, size_t>{{by.name(), 1}});

  // The next commit replaces all of it.
  state.own = {};
  state.known->vector.reset();
  state.known = record(by, 43, 7);
  state.base.reset();
  state.contested.reset();
  state.owed.reset();
  state.before_queue.reset();
  REQUIRE(save_writer(*db, by.name(), state));
  CHECK(*load_writer(*db, by.name()) == state);
  CHECK(count_lost(*db)->empty());
  CHECK(*load_writer(*db, key(2).name()) == std::nullopt);
}

TEST_CASE("a vector outlives a record of the same version that carries none") {
  const auto db = std::move(*store::Database::open(":memory:", {sync_schema()}));
  const IpnsKey by = key(1);
  WriterState state;
  state.known = record(by, 5, 1);
  state.known->vector = VersionVector();
  state.known->vector->raise(tag(1), {2, {5}});
  REQUIRE(save_writer(*db, by.name(), state));
  CHECK(*load_writer(*db, by.name()) == state);
}

TEST_CASE("a damaged record, tag or vector in the state file is an error, not a surprise") {
  const auto db = std::move(*store::Database::open(":memory:", {sync_schema()}));
  const IpnsKey by = key(1);
  WriterState state;
  state.known = record(key(2), 5, 1);  // of another name
  REQUIRE(save_writer(*db, by.name(), state));
  CHECK(load_writer(*db, by.name()).error().code == Errc::signature);
  state.known = record(by, 5, 1);
  REQUIRE(save_writer(*db, by.name(), state));
  REQUIRE(db->execute("UPDATE sync_writers SET known_vector = x'ff'"));
  CHECK(load_writer(*db, by.name()).error().code == Errc::parse);
  REQUIRE(db->execute("UPDATE sync_writers SET known_vector = NULL, tag = x'00'"));
  CHECK(load_writer(*db, by.name()).error().code == Errc::parse);
}

TEST_CASE("after the upgrade a lone device's base is what it published last") {
  LandedState landed;
  const IpnsKey by = key(1);
  const SeenRecord last = record(by, 6, 2);
  REQUIRE(save_own_name(landed.db(), own_of(by, last)));
  const auto db = landed.upgraded();
  const auto state = load_writer(*db, by.name());
  REQUIRE(state);
  REQUIRE(*state);
  CHECK((*state)->base->version == Version{{6}, value(2)});
  CHECK((*state)->known == last);
  CHECK((*state)->highest == Sequence{6});
  CHECK((*state)->count == 0);
  CHECK((*state)->own.empty());
}

TEST_CASE("after the upgrade a device that only followed has taken in what its handler took") {
  LandedState landed;
  const IpnsKey by = key(1);
  landed.follow(by, record(by, 9, 3), Version{{8}, value(2)});
  const auto db = landed.upgraded();
  CHECK(*load_writer(*db, by.name()) == std::nullopt);
  CHECK(load_written_names(*db)->empty());
  const auto state = load_or_begin_writer(*db, by.name());
  REQUIRE(state);
  CHECK(state->base->version == Version{{8}, value(2)});
  CHECK(state->known == record(by, 9, 3));
  CHECK(load_name(*db, by.name())->value().taken == Version{{8}, value(2)});
}

TEST_CASE("after the upgrade the better of own publish and hand-over is the base") {
  LandedState landed;
  const IpnsKey ahead = key(1);    // published after what was handed over
  const IpnsKey behind = key(2);   // took in another device's after its own
  const IpnsKey renewed = key(3);  // another device renewed its record
  landed.follow(ahead, record(ahead, 4, 1), Version{{4}, value(1)});
  REQUIRE(save_own_name(landed.db(), own_of(ahead, record(ahead, 5, 2))));
  landed.follow(behind, record(behind, 7, 4), Version{{7}, value(4)});
  REQUIRE(save_own_name(landed.db(), own_of(behind, record(behind, 6, 3))));
  const SeenRecord later = record(renewed, 5, 1, 4'000'000'100);
  landed.follow(renewed, later, std::nullopt);
  REQUIRE(save_own_name(landed.db(), own_of(renewed, record(renewed, 5, 1))));
  const auto db = landed.upgraded();
  auto state = load_writer(*db, ahead.name());
  REQUIRE((state && *state));
  CHECK((*state)->base->version == Version{{5}, value(2)});
  CHECK((*state)->known == record(ahead, 5, 2));
  state = load_writer(*db, behind.name());
  REQUIRE((state && *state));
  CHECK((*state)->base->version == Version{{7}, value(4)});
  CHECK((*state)->known == record(behind, 7, 4));
  state = load_writer(*db, renewed.name());
  REQUIRE((state && *state));
  CHECK((*state)->base->version == Version{{5}, value(1)});
  CHECK((*state)->known == later);
}
