// What the embedded relay keeps, gives and forgets, as scripted conversations.
#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE(
    "R3: of two updates in one second the relay keeps the lower id, in whatever order they come") {
  for (const int kind : {0, 10002, 30078}) {
    Event a = event_of(key(1), kind, kTime, {{"d", "name"}}, "a");
    Event b = event_of(key(1), kind, kTime, {{"d", "name"}}, "b");
    if (b.id < a.id) std::swap(a, b);
    Stage low_first;
    CHECK(low_first.offer(kAlice, a).accepted);
    const OkMessage refused = low_first.offer(kAlice, b);
    CHECK_FALSE(refused.accepted);
    CHECK(refused.reason == "replaced: have newer event");
    CHECK(low_first.ask(kinds({kind})) == std::vector<Event>{a});
    Stage high_first;
    CHECK(high_first.offer(kAlice, b).accepted);
    CHECK(high_first.offer(kAlice, a).accepted);
    CHECK(high_first.ask(kinds({kind})) == std::vector<Event>{a});
  }
}

TEST_CASE(
    "an address holds the latest event; other d tags, authors and kinds are other addresses") {
  Stage stage;
  const Event old = event_of(key(1), 30078, kTime - 10, {{"d", "x"}});
  const Event newer = event_of(key(1), 30078, kTime, {{"d", "x"}, {"d", "ignored"}});
  const Event other_d = event_of(key(1), 30078, kTime, {{"d", "y"}});
  const Event no_d = event_of(key(1), 30078, kTime);
  const Event other_author = event_of(key(2), 30078, kTime, {{"d", "x"}});
  const Event other_kind = event_of(key(1), 30079, kTime, {{"d", "x"}});
  for (const Event& event : {old, newer, other_d, no_d, other_author, other_kind}) {
    CHECK(stage.offer(kAlice, event).accepted);
  }
  CHECK_FALSE(stage.offer(kAlice, old).accepted);
  CHECK(stage.ask(kinds({30078, 30079})).size() == 5);
  Filter by_d = kinds({30078});
  by_d.tags['d'] = {"x"};
  by_d.authors = {key(1).public_key()};
  CHECK(stage.ask(by_d) == std::vector<Event>{newer});
}

TEST_CASE("an ephemeral event reaches who listens and is not kept") {
  Stage stage;
  stage.say(kBob, req("live", kinds({24133})));
  stage.hears(kBob);
  CHECK(stage.offer(kAlice, event_of(key(1), 24133, kTime)).accepted);
  CHECK(stage.hears(kBob).size() == 1);
  CHECK(stage.ask(kinds({24133})).empty());
}

TEST_CASE("stored events come newest first, ties by the lowest id, within the limit") {
  Stage stage;
  std::vector<Event> events;
  for (int i = 0; i < 30; ++i)
    events.push_back(event_of(key(1), 1, kTime + i / 3, {}, std::to_string(i)));
  for (const Event& event : events) stage.offer(kAlice, event);
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return supersedes(a, b); });
  CHECK(stage.ask(kinds({1})) == events);
  Filter limited = kinds({1});
  limited.limit = 7;
  CHECK(stage.ask(limited) == std::vector<Event>(events.begin(), events.begin() + 7));
  limited.limit = 0;
  CHECK(stage.ask(limited).empty());
  Filter window;
  window.since = UnixSeconds{kTime + 2};
  window.until = UnixSeconds{kTime + 3};
  CHECK(stage.ask(window).size() == 6);
}

TEST_CASE("every kind of filter finds exactly what the matching rule says") {
  Stage stage;
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    std::vector<Tag> tags = {{"t", "topic" + std::to_string(i % 3)}, {"t", "all"}};
    if (i % 4 == 0) tags.push_back({"x", std::string("with\0nul", 8)});
    tags.push_back({"empty"});
    events.push_back(event_of(key(static_cast<uint8_t>(1 + i % 5)), 1 + i % 2, kTime + i, tags,
                              std::to_string(i)));
    stage.offer(kAlice, events.back());
  }
  std::vector<Filter> filters(8);
  filters[1].ids = {events[3].id, events[17].id};
  filters[2].authors = {key(2).public_key(), key(3).public_key()};
  filters[3].kinds = {2};
  filters[4].authors = {key(1).public_key()};
  filters[4].kinds = {1};
  filters[5].tags['t'] = {"topic1", "topic2"};
  filters[6] = filters[4];
  filters[6].tags['t'] = {"all"};
  filters[6].tags['x'] = {std::string("with\0nul", 8)};
  filters[6].since = UnixSeconds{kTime + 5};
  filters[7] = filters[5];
  filters[7].ids = filters[1].ids;
  for (const Filter& filter : filters) {
    std::vector<Event> expected;
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (matches(filter, *it)) expected.push_back(*it);
    }
    CHECK(stage.ask(filter) == expected);
  }
}

TEST_CASE("a deleted event is gone and a copy from elsewhere does not bring it back") {
  Stage stage;
  const Event note = event_of(key(1), 1, kTime);
  const Event hint = event_of(key(1), 30078, kTime, {{"d", "a:b"}});
  const Event foreign = event_of(key(2), 1, kTime);
  for (const Event& event : {note, hint, foreign}) stage.offer(kAlice, event);
  const std::string address = "30078:" + to_hex(key(1).public_key().view()) + ":a:b";
  const Event deletion = event_of(key(1), 5, kTime + 5,
                                  {{"e", to_hex(note.id.view())},
                                   {"e", to_hex(foreign.id.view())},
                                   {"a", address},
                                   {"a", "x"},
                                   {"e"}});
  CHECK(stage.offer(kAlice, deletion).accepted);
  CHECK(stage.ask(kinds({1, 30078})) == std::vector<Event>{foreign});
  CHECK(reason_prefix(stage.offer(kBob, note).reason) == "blocked");
  CHECK(reason_prefix(stage.offer(kBob, hint).reason) == "blocked");
  CHECK(stage.offer(kAlice, event_of(key(1), 30078, kTime + 6, {{"d", "a:b"}})).accepted);
}

TEST_CASE("an event with an expiration is served until then") {
  Stage stage;
  stage.offer(kAlice, event_of(key(1), 1, kTime, {{"expiration", std::to_string(kTime + 60)}}));
  CHECK(stage.ask(kinds({1})).size() == 1);
  stage.now.wall.value += 60'000;
  CHECK(stage.ask(kinds({1})).empty());
  CHECK(*stage.store->purge_expired(stage.now.seconds()) == 1);
}

TEST_CASE("nothing is acknowledged or passed on before the commit") {
  test::TempDir dir;
  Stage stage({}, dir.path() / "relay.db");
  stage.say(kBob, req("live", kinds({1})));
  stage.hears(kBob);
  stage.core.frame(kAlice, publish(event_of(key(1), 1, kTime)), stage.now);
  auto reader = *store::Database::open_read_only(dir.path() / "relay.db");
  auto count = reader->prepare("SELECT count(*) FROM events");
  REQUIRE(count.step());
  CHECK(count.integer(0) == 0);
  CHECK(stage.sent[kAlice.value].empty());
  while (count.step()) {
  }
  stage.finish();
  REQUIRE(count.step());
  CHECK(count.integer(0) == 1);
  CHECK(stage.hears(kAlice).size() == 1);
  CHECK(stage.hears(kBob).size() == 1);
}

TEST_CASE("R2: when the disk is full the publisher is told, and what was there stays") {
  test::TempDir dir;
  Stage stage({}, dir.path() / "relay.db", 128 * 1024);
  const Event kept = event_of(key(1), 30078, kTime, {{"d", "x"}}, "kept");
  REQUIRE(stage.offer(kAlice, kept).accepted);
  const Event large =
      event_of(key(1), 30078, kTime + 1, {{"d", "x"}}, std::string(120 * 1024, 'x'));
  stage.say(kBob, req("live", kinds({30078})));
  stage.hears(kBob);
  stage.core.frame(kBob, req("other", kinds({7})), stage.now);
  const OkMessage ok = stage.offer(kAlice, large);
  CHECK_FALSE(ok.accepted);
  CHECK(reason_prefix(ok.reason) == "error");
  const auto heard = stage.hears(kBob);
  REQUIRE(heard.size() == 1);
  CHECK(std::get<ClosedMessage>(heard[0]).subscription == "other");
  CHECK(stage.ask(kinds({30078})) == std::vector<Event>{kept});
}

TEST_CASE("what a relay has stored is there after a restart") {
  test::TempDir dir;
  const Event event = event_of(key(1), 30078, kTime, {{"d", "x"}});
  { Stage({}, dir.path() / "relay.db").offer(kAlice, event); }
  Stage again({}, dir.path() / "relay.db");
  CHECK(again.ask(kinds({30078})) == std::vector<Event>{event});
  CHECK(again.offer(kAlice, event).reason.rfind("duplicate:", 0) == 0);
}

TEST_CASE(
    "S49: a full store refuses new events with a reason, and still takes updates and deletions") {
  test::TempDir dir;
  Stage stage({}, dir.path() / "relay.db", 1024 * 1024);
  const Event state = event_of(key(1), 30078, kTime, {{"d", "state"}}, "first");
  REQUIRE(stage.offer(kAlice, state).accepted);
  OkMessage last;
  std::vector<Event> kept;
  do {
    kept.push_back(
        event_of(key(2), 1, kTime + static_cast<int64_t>(kept.size()), {}, std::string(4000, 'x')));
    last = stage.offer(kAlice, kept.back());
  } while (last.accepted && kept.size() < 1000);
  CHECK(last.reason == "error: the relay's store is full");
  kept.pop_back();
  CHECK(kept.size() > 100);
  CHECK(std::filesystem::file_size(dir.path() / "relay.db") <= 1024 * 1024);

  for (int i = 1; i <= 50; ++i) {
    const Event update = event_of(key(1), 30078, kTime + i, {{"d", "state"}}, std::to_string(i));
    CHECK(stage.offer(kAlice, update).accepted);
  }
  CHECK(stage.ask(kinds({30078})).at(0).content == "50");
  CHECK_FALSE(stage.offer(kAlice, event_of(key(3), 1, kTime)).accepted);
  for (size_t i = 0; i < 20; ++i) {
    const Event deletion =
        event_of(key(2), 5, kTime + 500, {{"e", to_hex(kept[i].id.view())}}, std::to_string(i));
    CHECK(stage.offer(kAlice, deletion).accepted);
  }
  CHECK(stage.offer(kAlice, event_of(key(3), 1, kTime)).accepted);
  for (size_t i = 20; i < kept.size(); ++i) CHECK(*stage.store->contains(kept[i].id));
}

TEST_CASE("what has expired goes in batches, the longest expired first") {
  Stage stage;
  for (int i = 0; i < 25; ++i) {
    stage.offer(kAlice,
                event_of(key(1), 1, kTime, {{"expiration", std::to_string(kTime + 60 + i)}}));
  }
  stage.now.wall.value += 80'000;
  CHECK(stage.ask(kinds({1})).size() == 4);
  CHECK(*stage.store->purge_expired(stage.now.seconds(), 15) == 15);
  CHECK(*stage.store->purge_expired(stage.now.seconds(), 15) == 6);
  CHECK(*stage.store->purge_expired(stage.now.seconds(), 15) == 0);
  CHECK(stage.ask(kinds({1})).size() == 4);
}

TEST_CASE("S49: a store of the first version opens, and its events are found by their tags") {
  test::TempDir dir;
  const store::Schema first{
      "relay",
      {{1,
        "CREATE TABLE events(seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
        "  pubkey BLOB NOT NULL, kind INTEGER NOT NULL, created_at INTEGER NOT NULL, d BLOB,"
        "  expires_at INTEGER, json TEXT NOT NULL);"
        "CREATE INDEX events_pubkey ON events(pubkey, created_at DESC, id);"
        "CREATE TABLE tags(name TEXT NOT NULL, value BLOB NOT NULL,"
        "  event INTEGER NOT NULL REFERENCES events(seq) ON DELETE CASCADE,"
        "  PRIMARY KEY(name, value, event)) WITHOUT ROWID;"
        "CREATE INDEX tags_event ON tags(event);"}}};
  const Event event = event_of(key(1), 1, kTime, {{"t", "x"}});
  {
    auto db = *store::Database::open(dir.path() / "relay.db", {first});
    REQUIRE(db->prepare("INSERT INTO events VALUES(7, ?, ?, 1, ?, NULL, NULL, ?)")
                .bind(event.id.view())
                .bind(event.pubkey.view())
                .bind(event.created_at.value)
                .bind(to_json(event))
                .run());
    REQUIRE(db->prepare("INSERT INTO tags VALUES('t', ?, 7)").bind(as_bytes("x")).run());
  }
  Stage stage({}, dir.path() / "relay.db");
  Filter topic;
  topic.tags['t'] = {"x"};
  CHECK(stage.ask(topic) == std::vector<Event>{event});
  REQUIRE(
      stage.offer(kAlice, event_of(key(1), 5, kTime, {{"e", to_hex(event.id.view())}})).accepted);
  CHECK(stage.ask(topic).empty());
}

TEST_CASE("a store of before finds addressable events without a d tag by an empty one too") {
  const TempDir dir;
  const auto file = dir.path() / "relay.db";
  const Event none = event_of(key(1), 30'078, kTime);
  const Event other = event_of(key(1), 30'079, kTime, {{"d", "other"}});
  {
    Stage stage({}, file);
    for (const Event& event : {none, other}) REQUIRE(stage.offer(kAlice, event).accepted);
  }
  {
    const auto db = *store::Database::open(file, {});
    REQUIRE(db->execute("DELETE FROM tags WHERE value = x''"));
    REQUIRE(db->execute("UPDATE schema_versions SET version = 2 WHERE layer = 'relay'"));
  }
  Stage stage({}, file);
  Filter at_empty;
  at_empty.tags['d'] = {""};
  CHECK(stage.ask(at_empty) == std::vector<Event>{none});
}
