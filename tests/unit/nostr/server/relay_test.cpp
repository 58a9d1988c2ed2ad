// The embedded relay's rules for clients, as scripted conversations.
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/server/relay_information.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;

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

TEST_CASE("requests come at a rate too, of REQ, COUNT and NEG-OPEN together") {
  RelayOptions options;
  options.requests_per_second = 1;
  options.request_burst = 3;
  Stage stage(options);
  stage.say(kAlice, req("s", kinds({1})));
  stage.say(kAlice, text(CountRequest{"c", {kinds({1})}}));
  stage.say(kAlice, text(NegOpenRequest{"n", kinds({1}), {0x61}}));
  REQUIRE(stage.hears(kAlice).size() == 3);
  stage.say(kAlice, req("t", kinds({1})));
  stage.say(kAlice, text(CountRequest{"c", {kinds({1})}}));
  stage.say(kAlice, text(NegOpenRequest{"n", kinds({1}), {0x61}}));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 3);
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[0]).reason) == "rate-limited");
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[1]).reason) == "rate-limited");
  CHECK(reason_prefix(std::get<NegError>(heard[2]).reason) == "rate-limited");
  stage.now.steady += Seconds(1);
  stage.say(kAlice, req("t", kinds({1})));
  CHECK(std::holds_alternative<EoseMessage>(stage.hears(kAlice).at(0)));
}

TEST_CASE("S49: the values in the filters of one connection are bounded") {
  RelayOptions options;
  options.max_subscription_items = 5;
  Stage stage(options);
  stage.say(kAlice, req("a", kinds({1, 2, 3})));
  stage.say(kAlice, req("b", kinds({1, 2, 3})));
  stage.say(kAlice, req("a", kinds({1, 2, 3, 4, 5})));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 3);
  CHECK(std::holds_alternative<EoseMessage>(heard[0]));
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[1]).reason) == "rate-limited");
  CHECK(std::holds_alternative<EoseMessage>(heard[2]));
}

TEST_CASE("R40: the filters of all connections are bounded, and small clients still get in") {
  RelayOptions options;
  options.max_subscription_bytes_total = 5 * 512 * 1024;
  Stage stage(options);
  const std::string long_value(50'000, 'x');
  const auto tags = [&](const std::string& id) {
    Filter filter;
    filter.tags['t'] = {long_value + id, long_value};
    return req(id, filter);
  };
  // Ten of 200 kB each fit into four fifths, then no more for those who hold much.
  for (int i = 0; i < 12; ++i) stage.say(kAlice, tags("s" + std::to_string(i)));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 12);
  CHECK(std::holds_alternative<EoseMessage>(heard[9]));
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[11]).reason) == "error");
  CHECK(std::get<ClosedMessage>(heard[11]).reason.find("the relay is full") != std::string::npos);
  // Another client gets in as long as it holds little.
  stage.say(kBob, tags("first"));
  stage.say(kBob, tags("second"));
  stage.say(kBob, req("small", kinds({1})));
  const auto bob = stage.hears(kBob);
  REQUIRE(bob.size() == 3);
  CHECK(std::holds_alternative<EoseMessage>(bob[0]));
  CHECK(std::holds_alternative<ClosedMessage>(bob[1]));
  CHECK(std::holds_alternative<EoseMessage>(bob[2]));
  // What is replaced or closed gives its room back.
  stage.say(kAlice, tags("s0"));
  CHECK(std::holds_alternative<EoseMessage>(stage.hears(kAlice).at(0)));
  stage.core.closed(kAlice);
  stage.say(kBob, tags("second"));
  CHECK(std::holds_alternative<EoseMessage>(stage.hears(kBob).at(0)));
}

TEST_CASE("R40: filters without values count as well, and so do long values") {
  RelayOptions options;
  options.max_subscription_bytes = 100 * 1024;
  Stage stage(options);
  Filter filter;
  filter.tags['t'] = {std::string(60'000, 'x')};
  stage.say(kAlice, req("long", filter));
  for (int i = 0; i < 3; ++i)
    stage.say(kAlice, text(ReqRequest{"e" + std::to_string(i), std::vector<Filter>(100)}));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 4);
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[0]).reason) == "rate-limited");
  CHECK(std::holds_alternative<EoseMessage>(heard[1]));
  CHECK(reason_prefix(std::get<ClosedMessage>(heard[3]).reason) == "rate-limited");
}

TEST_CASE("COUNT counts an event that satisfies several filters once, and says where it stopped") {
  RelayOptions options;
  options.max_count = 20;
  options.max_limit = 3;
  Stage stage(options);
  const auto count = [&](std::vector<Filter> filters) {
    stage.say(kBob, text(CountRequest{"c", std::move(filters)}));
    const auto heard = stage.hears(kBob);
    REQUIRE(heard.size() == 1);
    CHECK(std::get<CountMessage>(heard[0]).subscription == "c");
    return std::get<CountMessage>(heard[0]);
  };
  CHECK(count({kinds({1})}).count == 0);
  for (int i = 0; i < 20; ++i)
    stage.offer(kAlice, event_of(key(1), 1 + i % 2, kTime + i, {{"t", "x"}}));
  Filter topic;
  topic.tags['t'] = {"x"};
  topic.limit = 1;
  CHECK(count({kinds({1})}).count == 10);
  CHECK(count({kinds({1}), kinds({1, 2}), topic}).count == 20);
  CHECK_FALSE(count({kinds({1, 2})}).approximate);
  stage.offer(kAlice, event_of(key(1), 1, kTime + 30));
  CHECK(count({kinds({1}), kinds({2})}).count == 20);
  CHECK(count({kinds({1}), kinds({2})}).approximate);
  stage.offer(kAlice, event_of(key(1), 7, kTime, {{"expiration", std::to_string(kTime + 5)}}));
  CHECK(count({kinds({7})}).count == 1);
  stage.now.wall.value += 5000;
  CHECK(count({kinds({7})}).count == 0);
}

TEST_CASE("the relay's information document states what it does and its limits") {
  RelayOptions options;
  options.name = "test";
  options.max_limit = 123;
  const auto document = nlohmann::json::parse(relay_information(options));
  CHECK(document["limitation"]["max_limit"] == 123);
  CHECK(document["limitation"]["created_at_upper_limit"] == 900);
  CHECK(document["limitation"]["restricted_writes"] == false);
  CHECK(document["supported_nips"] == nlohmann::json({1, 9, 11, 40, 42, 45, 67, 70, 77}));
  options.writers = {key(1).public_key()};
  CHECK(nlohmann::json::parse(relay_information(options))["limitation"]["restricted_writes"] ==
        true);
}

TEST_CASE("an addressable event without a d tag is found by an empty one, stored and live") {
  Stage stage;
  Filter at_empty = kinds({30'078});
  at_empty.tags['d'] = {""};
  const Event none = event_of(key(1), 30'078, kTime);
  const Event other = event_of(key(1), 30'078, kTime, {{"d", "other"}});
  stage.say(kAlice, req("live", at_empty));
  stage.hears(kAlice);
  for (const Event& event : {none, other}) CHECK(stage.offer(kBob, event).accepted);
  const auto live = stage.hears(kAlice);
  REQUIRE(live.size() == 1);
  CHECK(std::get<EventMessage>(live[0]).event == none);
  CHECK(stage.ask(at_empty) == std::vector<Event>{none});
}
