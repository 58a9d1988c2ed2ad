#include "ipnscast/sync/state/state_store.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

std::unique_ptr<store::Database> open_state() {
  auto db = store::Database::open(":memory:", {sync_schema()});
  REQUIRE(db);
  return std::move(*db);
}

IpnsName name(uint8_t tag) { return IpnsName::from_key({KeyType::ed25519, Bytes(32, tag)}); }
Cid cid(uint8_t tag) { return {1, 0x55, {0x12, Bytes(32, tag)}}; }
nostr::EventId event(uint8_t tag) { return nostr::EventId::from(Bytes(32, tag)); }

}  // namespace

TEST_CASE("a name's state comes back from the file as it was written") {
  const auto db = open_state();
  NameRow row{.name = name(1)};
  row.watched = true;
  row.fetch_content = false;
  row.record =
      KnownRecord{{kMaxSequence}, "/ipfs/x/y", {4'000'000'000, 999'999'999}, {1, 2}, {3, 4, 5}};
  row.stale = true;
  row.loser = "/ipfs/lost";
  row.source = {SourceKind::websocket, "wss://push.example"};
  row.author = nostr::PublicKey::from(Bytes(32, 7));
  row.unconfirmed_freshness = true;
  row.seen = {1'790'000'000'123};
  row.handed = NameRow::Handed{{41}, "/ipfs/z", cid(2)};
  row.owed = ChangeKind::conflict;
  row.expiry_owed = ChangeKind::withdrawn;
  row.provisional =
      NameRow::Provisional{cid(3), nostr::PublicKey::from(Bytes(32, 8)), {1'790'000'000'456}};
  row.withdraw_owed = cid(4);
  row.failures = 3;
  row.retry_at = {1'790'000'000'789};
  row.rejected = Version{{42}, "/ipfs/refused"};
  REQUIRE(save_names(*db, {row}));

  const auto loaded = load_name(*db, name(1));
  REQUIRE(loaded);
  REQUIRE(*loaded);
  const NameRow& back = **loaded;
  CHECK(back.name == row.name);
  CHECK(back.watched);
  CHECK_FALSE(back.fetch_content);
  CHECK(back.record == row.record);
  CHECK(back.stale);
  CHECK(back.loser == row.loser);
  CHECK(back.source == row.source);
  CHECK(back.author == row.author);
  CHECK(back.unconfirmed_freshness);
  CHECK(back.seen == row.seen);
  REQUIRE(back.handed);
  CHECK(back.handed->sequence == Sequence{41});
  CHECK(back.handed->value == "/ipfs/z");
  CHECK(back.handed->cid == cid(2));
  CHECK(back.owed == ChangeKind::conflict);
  CHECK(back.expiry_owed == ChangeKind::withdrawn);
  REQUIRE(back.provisional);
  CHECK(back.provisional->cid == cid(3));
  CHECK(back.provisional->author == row.provisional->author);
  CHECK(back.provisional->since == row.provisional->since);
  CHECK(back.withdraw_owed == cid(4));
  CHECK(back.failures == 3);
  CHECK(back.retry_at == row.retry_at);
  CHECK(back.rejected == row.rejected);
}

TEST_CASE("a state file of an earlier version is brought up to date with all that it knows") {
  const test::TempDir dir;
  const auto file = dir.path() / "state.sqlite";
  auto before = sync_schema();
  before.migrations.resize(5);
  {
    const auto old = store::Database::open(file, {before});
    REQUIRE(old);
    REQUIRE(
        (*old)->execute("INSERT INTO sync_names(name, watched, fetch_content, sequence, value, "
                        "eol_seconds, eol_nanoseconds, data, record, stale, source, endpoint, "
                        "unconfirmed, seen_ms, handed_sequence, handed_value, owed, failures, "
                        "retry_at_ms) VALUES(x'" +
                        to_hex(name(1).bytes()) +
                        "', 1, 1, 7, '/ipfs/x', 4000000000, 0, x'01', x'02', 0, 0, '', 0, 5, 6, "
                        "'/ipfs/w', 0, 0, 0)"));
  }
  const auto db = store::Database::open(file, {sync_schema()});
  REQUIRE(db);
  const auto row = load_name(**db, name(1));
  REQUIRE(row);
  REQUIRE(*row);
  CHECK((*row)->record->sequence == Sequence{7});
  CHECK((*row)->handed->value == "/ipfs/w");
  CHECK((*row)->owed == ChangeKind::change);
  CHECK_FALSE((*row)->rejected);
}

TEST_CASE("a name of which nothing is known yet comes back empty, an unknown one not at all") {
  const auto db = open_state();
  REQUIRE(save_names(*db, {NameRow{.name = name(1)}}));
  const auto loaded = load_name(*db, name(1));
  REQUIRE(loaded);
  REQUIRE(*loaded);
  CHECK_FALSE((*loaded)->watched);
  CHECK_FALSE((*loaded)->record);
  CHECK_FALSE((*loaded)->handed);
  CHECK_FALSE((*loaded)->owed);
  CHECK_FALSE((*loaded)->provisional);
  CHECK_FALSE((*loaded)->author);
  const auto missing = load_name(*db, name(2));
  REQUIRE(missing);
  CHECK_FALSE(*missing);
}

TEST_CASE(
    "only watched names are followed again after a restart, the others keep their floor (R11)") {
  const auto db = open_state();
  NameRow watched{.name = name(1)};
  watched.watched = true;
  NameRow left{.name = name(2)};
  left.record = KnownRecord{{9}, "/ipfs/x", {}, {}, {}};
  REQUIRE(save_names(*db, {watched, left}));
  const auto rows = load_watched(*db);
  REQUIRE(rows);
  REQUIRE(rows->size() == 1);
  CHECK(rows->at(0).name == name(1));
  CHECK((*load_name(*db, name(2)))->record->sequence == Sequence{9});
}

TEST_CASE(
    "a sequence number, its version and what announces it commit together or not at all (S0-13)") {
  const auto db = open_state();
  const nostr::Address address{30078, {}, "ipns-sync-a"};
  REQUIRE(db->begin());
  REQUIRE(save_own_name(*db, {name(1), {7}, "/ipfs/x", 3, {1, 2, 3}}));
  REQUIRE(save_created_at(*db, address, {1'790'000'000}));
  REQUIRE(save_sent(*db, event(1), address, {1'790'000'000}));
  db->rollback();
  CHECK_FALSE(*load_own_name(*db, name(1)));
  CHECK(load_sent(*db)->empty());
  REQUIRE(save_own_name(*db, {name(1), {7}, "/ipfs/x", 3, {1, 2, 3}}));
  const auto own = load_own_name(*db, name(1));
  REQUIRE(own);
  REQUIRE(*own);
  CHECK((*own)->sequence == Sequence{7});
  CHECK((*own)->version == 3);
  CHECK((*own)->record == Bytes{1, 2, 3});
  CHECK(load_own_names(*db)->size() == 1);
}

TEST_CASE("the mark of created_at only rises, until it is erased (R4)") {
  const auto db = open_state();
  const nostr::Address address{30078, nostr::PublicKey::from(Bytes(32, 7)), "ipns-sync-a"};
  REQUIRE(save_created_at(*db, address, {100}));
  REQUIRE(save_created_at(*db, address, {50}));
  const auto marks = load_created_at(*db);
  REQUIRE(marks);
  REQUIRE(marks->size() == 1);
  CHECK(marks->at(0).address == address);
  CHECK(marks->at(0).mark == UnixSeconds{100});
  REQUIRE(erase_created_at(*db, address));
  CHECK(load_created_at(*db)->empty());
}

TEST_CASE("of each address the latest four sent events are remembered (S0-35, R31)") {
  const auto db = open_state();
  for (uint8_t i = 1; i <= 50; ++i) {
    REQUIRE(save_sent(*db, event(i), {30078, {}, "busy"}, {i}));
  }
  REQUIRE(save_sent(*db, event(100), {30078, {}, "quiet"}, {0}));
  const auto sent = load_sent(*db);
  REQUIRE(sent);
  std::vector<nostr::EventId> ids;
  for (const SentEvent& one : *sent) ids.push_back(one.id);
  CHECK(ids == std::vector<nostr::EventId>{event(100), event(47), event(48), event(49), event(50)});
  CHECK(sent->back().created_at == UnixSeconds{50});
  CHECK(sent->back().address.d == "busy");
}

TEST_CASE("settings are kept by key") {
  const auto db = open_state();
  CHECK_FALSE(*load_setting(*db, "device_id"));
  REQUIRE(save_setting(*db, "device_id", "phone"));
  REQUIRE(save_setting(*db, "device_id", "phone-2"));
  CHECK(*load_setting(*db, "device_id") == "phone-2");
}
