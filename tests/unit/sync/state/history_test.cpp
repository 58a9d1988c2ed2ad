#include "ipnscast/sync/state/history.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using What = HistoryNote::What;
using Fate = HeardVersion::Fate;

namespace {

const IpnsName kName = IpnsName::from_key({KeyType::ed25519, Bytes(32, 1)});

HistoryNote heard(uint64_t number, std::string value) {
  HistoryNote note{.what = What::heard, .number = number};
  note.at = {static_cast<int64_t>(number) * 1'000};
  note.record = KnownRecord{{number}, std::move(value), {}, {}, {static_cast<uint8_t>(number)}};
  return note;
}

HistoryNote settled(What what, uint64_t since, uint64_t number, int64_t at) {
  return {.what = what, .number = number, .at = {at}, .since = since};
}

struct State {
  explicit State(const std::filesystem::path& file = ":memory:")
      : db(*store::Database::open(file, {sync_schema()})) {}
  void passed(uint64_t number) {
    NameRow row{.name = kName};
    row.passed = number;
    REQUIRE(save_names(*db, {row}));
  }
  std::vector<HeardVersion> all() { return *load_history(*db, kName, 100); }
  const std::unique_ptr<store::Database> db;
};

}  // namespace

TEST_CASE("the history says of each version when it was heard and what became of it") {
  State state;
  HistoryNote conflict = heard(4, "/ipfs/d");
  conflict.loser = "/ipfs/c";
  conflict.source = SourceKind::sse;
  conflict.author = nostr::PublicKey::from(Bytes(32, 7));
  REQUIRE(save_history(*state.db, kName,
                       {heard(1, "/ipfs/a"), heard(2, "/ipfs/b"), heard(3, "/ipfs/c"), conflict,
                        settled(What::taken, 1, 1, 1'500), settled(What::refused, 3, 3, 3'500)},
                       1'000));
  state.passed(3);
  const auto all = state.all();
  REQUIRE(all.size() == 4);
  CHECK(all[0].version == Version{{4}, "/ipfs/d"});
  CHECK(all[0].record == Bytes{4});
  CHECK(all[0].loser == "/ipfs/c");
  CHECK(all[0].source == SourceKind::sse);
  CHECK(all[0].author == conflict.author);
  CHECK(all[0].seen == UnixMillis{4'000});
  CHECK(all[0].fate == Fate::waiting);
  CHECK_FALSE(all[0].at);
  CHECK(all[1].fate == Fate::refused);
  CHECK(all[2].fate == Fate::skipped);
  CHECK(all[3].fate == Fate::taken);
  CHECK(all[3].at == UnixMillis{1'500});
  CHECK(load_history(*state.db, kName, 2)->size() == 2);
}

TEST_CASE("a renewed record takes the place of the old one, and what was taken first stays") {
  State state;
  HistoryNote renewed = heard(1, "/ipfs/a");
  renewed.what = What::renewed;
  renewed.record->bytes = {9, 9};
  REQUIRE(save_history(*state.db, kName,
                       {heard(1, "/ipfs/a"), settled(What::taken, 1, 1, 100), renewed,
                        settled(What::taken, 1, 1, 200)},
                       1'000));
  REQUIRE(state.all().size() == 1);
  CHECK(state.all()[0].record == Bytes{9, 9});
  CHECK(state.all()[0].at == UnixMillis{100});
}

TEST_CASE("of a name so many versions are kept, the oldest are dropped") {
  State state;
  for (uint64_t i = 1; i <= 50; ++i)
    REQUIRE(save_history(*state.db, kName, {heard(i, "/ipfs/" + std::to_string(i))}, 10));
  const auto all = state.all();
  REQUIRE(all.size() == 10);
  CHECK(all.front().number == 50);
  CHECK(all.back().number == 41);
}

TEST_CASE("the next version is found past those that were refused or change nothing") {
  State state;
  REQUIRE(save_history(*state.db, kName,
                       {heard(1, "/ipfs/a"), heard(2, "/ipfs/a"), heard(3, "/ipfs/bad"),
                        heard(4, "/ipfs/b"), settled(What::refused, 3, 3, 1)},
                       1'000));
  CHECK((*find_version(*state.db, kName, {1, 4, "/ipfs/a"}))->number == 4);
  CHECK((*find_version(*state.db, kName, {0, 4, ""}))->number == 1);
  CHECK_FALSE(*find_version(*state.db, kName, {1, 3, "/ipfs/a"}));
  state.passed(4);
  CHECK(*first_version_since(*state.db, kName, {1'500}) == 2);
  CHECK(*first_version_since(*state.db, kName, {2'500}) == 4);
  CHECK_FALSE(*first_version_since(*state.db, kName, {4'500}));
  state.passed(2);
  CHECK_FALSE(*first_version_since(*state.db, kName, {2'500}));
}

TEST_CASE("the history of a directory is read while somebody works in it") {
  const test::TempDir dir;
  CHECK(read_history(dir.path() / "none", kName, 10)->empty());
  State state(dir.path() / "state.sqlite");
  REQUIRE(save_history(*state.db, kName, {heard(1, "/ipfs/a")}, 1'000));
  const auto found = read_history(dir.path(), kName, 10);
  REQUIRE(found);
  CHECK(found->size() == 1);
}

TEST_CASE("what an earlier version knew of a name is the first version of its history") {
  const test::TempDir dir;
  const auto file = dir.path() / "state.sqlite";
  auto before = sync_schema();
  before.migrations.resize(6);
  const auto row = [&](uint8_t tag, const char* handed, const char* owed, const char* rejected) {
    const IpnsName name = IpnsName::from_key({KeyType::ed25519, Bytes(32, tag)});
    return "INSERT INTO sync_names(name, watched, fetch_content, sequence, value, eol_seconds, "
           "eol_nanoseconds, data, record, stale, source, endpoint, unconfirmed, seen_ms, "
           "handed_sequence, handed_value, owed, failures, retry_at_ms, rejected_sequence, "
           "rejected_value) VALUES(x'" +
           to_hex(name.bytes()) +
           "', 1, 1, 7, '/ipfs/x', 4000000000, 0, x'01', x'02', 0, 0, '', 0, 5, 7, " + handed +
           ", " + owed + ", 0, 0, 7, " + rejected + ")";
  };
  {
    const auto old = store::Database::open(file, {before});
    REQUIRE(old);
    REQUIRE((*old)->execute(row(1, "'/ipfs/x'", "NULL", "NULL")));
    REQUIRE((*old)->execute(row(2, "'/ipfs/w'", "0", "NULL")));
    REQUIRE((*old)->execute(row(3, "'/ipfs/w'", "NULL", "'/ipfs/x'")));
  }
  State state(file);
  const auto fate = [&](uint8_t tag) {
    const auto all =
        *load_history(*state.db, IpnsName::from_key({KeyType::ed25519, Bytes(32, tag)}), 10);
    REQUIRE(all.size() == 1);
    CHECK(all[0].version == Version{{7}, "/ipfs/x"});
    CHECK(all[0].seen == UnixMillis{5});
    CHECK(all[0].record == Bytes{2});
    return all[0].fate;
  };
  CHECK(fate(1) == Fate::taken);
  CHECK(fate(2) == Fate::waiting);
  CHECK(fate(3) == Fate::refused);
  const auto known = *load_name(*state.db, kName);
  REQUIRE(known);
  CHECK(known->heard == 1);
  CHECK(known->passed == 1);
  CHECK_FALSE(known->replay);
}
