// The embedded relay's rules, as scripted conversations: no socket, no thread, no clock.
#include <chrono>
#include <deque>
#include <map>

#include "nostr/base/hex.h"
#include "nostr/keys.h"
#include "nostr/server/relay_core.h"
#include "nostr/server/relay_information.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::server;

namespace {

constexpr int64_t kTime = 1'790'000'000;
const ServerConnectionId kAlice{1};
const ServerConnectionId kBob{2};

SecretKey key(uint8_t number) {
  Bytes secret(32, 0);
  secret[31] = number;
  return *SecretKey::from_bytes(secret);
}

Event event_of(const SecretKey& author, int kind, int64_t created_at, std::vector<Tag> tags = {},
               std::string content = "") {
  return sign_event(author, {{created_at}, kind, std::move(tags), std::move(content)});
}

std::string text(const ClientMessage& message) { return to_frame(message); }
std::string req(const std::string& subscription, const Filter& filter) {
  return text(ReqRequest{subscription, {filter}});
}
std::string publish(const Event& event) { return text(PublishRequest{event}); }

Filter kinds(std::vector<int> list) {
  Filter out;
  out.kinds = std::move(list);
  return out;
}

// A relay with Alice and Bob connected. hears() takes what a client was sent since the last look.
class Stage {
 public:
  explicit Stage(RelayOptions options = {}, const std::filesystem::path& file = ":memory:",
                 uint64_t max_bytes = uint64_t{1} << 30)
      : store(std::move(*RelayStore::open(file, max_bytes))), core(std::move(options), *store) {
    core.opened(kAlice, now);
    core.opened(kBob, now);
  }

  void say(ServerConnectionId who, const std::string& frame) {
    core.frame(who, frame, now);
    finish();
  }
  void finish() {
    for (const RelayAction& action : core.finish())
      sent[action.connection.value].push_back(*action.frame);
  }
  std::vector<RelayMessage> hears(ServerConnectionId who) {
    std::vector<RelayMessage> out;
    for (const std::string& frame : std::exchange(sent[who.value], {})) {
      const auto message = parse_relay_message(frame);
      REQUIRE(message);
      out.push_back(*message);
    }
    return out;
  }
  // The one OK that answers the event.
  OkMessage offer(ServerConnectionId who, const Event& event) {
    say(who, publish(event));
    for (const RelayMessage& message : hears(who)) {
      if (const auto* ok = std::get_if<OkMessage>(&message); ok && ok->id == event.id) return *ok;
    }
    FAIL("no OK");
    return {};
  }
  // What is stored for the filter, in the order in which it comes.
  std::vector<Event> ask(const Filter& filter) {
    say(kBob, req("ask", filter));
    std::vector<Event> out;
    bool eose = false;
    for (const RelayMessage& message : hears(kBob)) {
      if (const auto* event = std::get_if<EventMessage>(&message)) {
        CHECK_FALSE(eose);
        CHECK(verify(event->event));
        out.push_back(event->event);
      }
      eose = eose || std::holds_alternative<EoseMessage>(message);
    }
    CHECK(eose);
    say(kBob, text(CloseRequest{"ask"}));
    return out;
  }

  Now now{Instant{} + std::chrono::hours(1), {kTime * 1000}};
  std::unique_ptr<RelayStore> store;
  RelayCore core;
  std::map<uint64_t, std::vector<std::string>> sent;
};

}  // namespace

TEST_CASE("an event that is published is acknowledged, stored, and given to who asks") {
  Stage stage;
  const Event event = event_of(key(1), 1, kTime, {{"t", "x"}}, "hello \"there\"\n");
  const OkMessage ok = stage.offer(kAlice, event);
  CHECK(ok.accepted);
  CHECK(ok.reason.empty());
  CHECK(stage.ask(kinds({1})) == std::vector<Event>{event});
  CHECK(stage.offer(kBob, event).reason.rfind("duplicate:", 0) == 0);
  CHECK(stage.offer(kBob, event).accepted);
  CHECK(stage.core.counters().stored == 1);
}

TEST_CASE("a live subscription gets new events after EOSE, and only those that its filters want") {
  Stage stage;
  stage.say(kBob, text(ReqRequest{"live", {kinds({1}), kinds({30078})}}));
  REQUIRE(stage.hears(kBob).size() == 1);
  const Event wanted = event_of(key(1), 30078, kTime, {{"d", "a"}});
  stage.offer(kAlice, event_of(key(1), 2, kTime));
  stage.offer(kAlice, wanted);
  const auto heard = stage.hears(kBob);
  REQUIRE(heard.size() == 1);
  CHECK(std::get<EventMessage>(heard[0]).subscription == "live");
  CHECK(std::get<EventMessage>(heard[0]).event == wanted);

  SECTION("until it is closed") { stage.say(kBob, text(CloseRequest{"live"})); }
  SECTION("until a REQ with the same id replaces it") {
    stage.say(kBob, req("live", kinds({7})));
    stage.hears(kBob);
  }
  SECTION("until the connection closes") { stage.core.closed(kBob); }
  stage.offer(kAlice, event_of(key(1), 1, kTime + 1));
  CHECK(stage.hears(kBob).empty());
}

TEST_CASE("subscription ids of one connection mean nothing to another") {
  Stage stage;
  stage.say(kAlice, req("s", kinds({1})));
  stage.say(kBob, req("s", kinds({2})));
  stage.say(kBob, text(CloseRequest{"s"}));
  stage.hears(kAlice);
  stage.offer(kBob, event_of(key(1), 1, kTime));
  CHECK(stage.hears(kAlice).size() == 1);
}

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

TEST_CASE("an event that satisfies several filters of a REQ comes once") {
  Stage stage;
  stage.offer(kAlice, event_of(key(1), 1, kTime));
  stage.say(kBob, text(ReqRequest{"s", {kinds({1}), kinds({1, 2}), Filter{}}}));
  CHECK(stage.hears(kBob).size() == 2);
}

TEST_CASE("R19: forged, misdated and expired events are refused with a reason and not passed on") {
  Stage stage;
  stage.say(kBob, req("all", Filter{}));
  stage.hears(kBob);
  const Event good = event_of(key(1), 1, kTime);
  Event bad_id = good;
  bad_id.content = "changed";
  Event bad_signature = good;
  bad_signature.sig.bytes[5] ^= 1;
  for (const Event& event : {bad_id, bad_signature, event_of(key(1), 1, kTime + 901),
                             event_of(key(1), 1, kTime, {{"expiration", "1700000000"}})}) {
    const OkMessage ok = stage.offer(kAlice, event);
    CHECK_FALSE(ok.accepted);
    CHECK(reason_prefix(ok.reason) == "invalid");
  }
  CHECK(stage.hears(kBob).empty());
  CHECK(stage.core.counters().refused == 4);
  CHECK(stage.offer(kAlice, good).accepted);
  CHECK(stage.offer(kAlice, event_of(key(1), 1, kTime + 900)).accepted);
}

TEST_CASE(
    "garbage gets an answer that names the refused event or subscription where one can be read") {
  Stage stage;
  const auto answer = [&](const std::string& frame) {
    stage.say(kAlice, frame);
    const auto heard = stage.hears(kAlice);
    REQUIRE(heard.size() == 1);
    return heard[0];
  };
  const std::string id(64, 'a');
  CHECK(std::holds_alternative<NoticeMessage>(answer("")));
  CHECK(std::holds_alternative<NoticeMessage>(answer("{}")));
  CHECK(std::holds_alternative<NoticeMessage>(answer("[\"EVENT\",5]")));
  CHECK(std::holds_alternative<NoticeMessage>(answer("[\"WHAT\",5]")));
  CHECK(std::holds_alternative<NoticeMessage>(answer("[\"REQ\",\"\",{}]")));
  CHECK(std::holds_alternative<NoticeMessage>(
      answer("[\"REQ\",\"" + std::string(65, 's') + "\",{}]")));
  CHECK(std::holds_alternative<NoticeMessage>(answer(std::string(100'000, '['))));
  CHECK(std::holds_alternative<NoticeMessage>(answer("[\"REQ\",\"\xff\xfe\",{}]")));
  const auto refused_event = answer("[\"EVENT\",{\"id\":\"" + id + "\",\"kind\":\"x\"}]");
  REQUIRE(std::holds_alternative<OkMessage>(refused_event));
  CHECK_FALSE(std::get<OkMessage>(refused_event).accepted);
  CHECK(reason_prefix(std::get<OkMessage>(refused_event).reason) == "invalid");
  const auto refused_req = answer("[\"REQ\",\"s\",{\"ids\":[\"abc\"]}]");
  REQUIRE(std::holds_alternative<ClosedMessage>(refused_req));
  CHECK(std::get<ClosedMessage>(refused_req).subscription == "s");
  const auto unknown_member = answer("[\"REQ\",\"s\",{\"search\":\"abc\"}]");
  REQUIRE(std::holds_alternative<ClosedMessage>(unknown_member));
  CHECK(reason_prefix(std::get<ClosedMessage>(unknown_member).reason) == "unsupported");
  CHECK(stage.core.counters().garbage > 5);
}

TEST_CASE("one subscription or filter too many is refused and leaves the others alone") {
  RelayOptions options;
  options.max_subscriptions = 2;
  options.max_filters = 3;
  options.max_limit = 5;
  Stage stage(options);
  for (int i = 0; i < 10; ++i) stage.offer(kBob, event_of(key(1), 1, kTime + i));
  stage.say(kAlice, req("a", kinds({9})));
  stage.say(kAlice, req("b", kinds({9})));
  stage.say(kAlice, req("c", kinds({9})));
  auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 3);
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[2]).reason) == "rate-limited");
  stage.say(kAlice, text(ReqRequest{"b", std::vector<Filter>(4)}));
  heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 1);
  CHECK(std::holds_alternative<ClosedMessage>(heard[0]));
  stage.say(kAlice, req("a", Filter{}));
  CHECK(stage.hears(kAlice).size() == 6);
}

TEST_CASE(
    "a client that publishes faster than allowed is told to slow down, and is heard again later") {
  RelayOptions options;
  options.events_per_second = 2;
  options.event_burst = 3;
  Stage stage(options);
  for (int i = 0; i < 3; ++i) CHECK(stage.offer(kAlice, event_of(key(1), 1, kTime + i)).accepted);
  const Event held = event_of(key(1), 1, kTime + 3);
  CHECK(reason_prefix(stage.offer(kAlice, held).reason) == "rate-limited");
  CHECK(stage.offer(kBob, event_of(key(2), 1, kTime)).accepted);
  stage.now.steady += Milliseconds(500);
  CHECK(stage.offer(kAlice, held).accepted);
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

TEST_CASE("the relay's information document states its limits") {
  RelayOptions options;
  options.name = "test";
  options.max_limit = 123;
  const std::string document = relay_information(options);
  CHECK(document.find("\"max_limit\":123") != std::string::npos);
  CHECK(document.find("\"created_at_upper_limit\":900") != std::string::npos);
}
