// What the embedded relay says and then has to keep: ends of subscriptions, of answers, of events.
#include "ipnscast/tests/support/relays/relay_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

EoseHint hint_for(Stage& stage, const std::string& frame) {
  stage.say(kBob, frame);
  for (const RelayMessage& message : stage.hears(kBob)) {
    if (const auto* eose = std::get_if<EoseMessage>(&message)) return eose->hint;
  }
  FAIL("no EOSE");
  return EoseHint::none;
}

size_t heard_of(Stage& stage, const std::string& subscription) {
  size_t out = 0;
  for (const RelayMessage& message : stage.hears(kBob)) {
    const auto* event = std::get_if<EventMessage>(&message);
    out += event != nullptr && event->subscription == subscription;
  }
  return out;
}

}  // namespace

TEST_CASE("E9 a REQ that cannot be read ends the subscription that had its id, as CLOSED says") {
  const std::string long_id = [] {
    std::string out;
    for (int i = 0; i < 64; ++i) out += "\xc3\xa9";  // 64 characters, 128 bytes
    return out;
  }();
  for (const std::string& id : {std::string("s"), long_id}) {
    for (const char* rest :
         {R"(,{"kinds":["x"]}])", R"(,{"unknown":1}])", R"(,{"#ee":["x"]}])", "]", R"(,5])"}) {
      INFO(rest);
      Stage stage;
      stage.say(kBob, req(id, kinds({1})));
      stage.hears(kBob);
      stage.say(kBob, "[\"REQ\",\"" + id + "\"" + rest);
      const auto said = stage.hears(kBob);
      REQUIRE(said.size() == 1);
      REQUIRE(std::holds_alternative<ClosedMessage>(said[0]));
      stage.offer(kAlice, event_of(key(1), 1, kTime));
      CHECK(heard_of(stage, id) == 0);
    }
  }
}

TEST_CASE("E9 a subscription whose id is closed for a COUNT is closed, and others go on") {
  Stage stage;
  stage.say(kBob, req("s", kinds({1})));
  stage.say(kBob, req("t", kinds({1})));
  stage.hears(kBob);
  stage.say(kBob, R"(["COUNT","s",{"kinds":["x"]}])");
  REQUIRE(std::holds_alternative<ClosedMessage>(stage.hears(kBob).at(0)));
  stage.say(kAlice, publish(event_of(key(1), 1, kTime)));
  const auto heard = stage.hears(kBob);
  REQUIRE(heard.size() == 1);
  CHECK(std::get<EventMessage>(heard[0]).subscription == "t");
}

TEST_CASE("E7 NIP-70 a repost that holds a protected event is taken from nobody") {
  Stage stage;
  const Event secret = event_of(key(1), 1, kTime, {{"-"}}, "mine");
  const Event open = event_of(key(1), 1, kTime, {}, "all's");
  for (const int kind : {6, 16}) {
    const OkMessage refused =
        stage.offer(kAlice, event_of(key(2), kind, kTime, {}, to_json(secret)));
    CHECK_FALSE(refused.accepted);
    CHECK(reason_prefix(refused.reason) == "blocked");
    CHECK(stage.offer(kAlice, event_of(key(2), kind, kTime, {}, to_json(open))).accepted);
    CHECK(stage.offer(kAlice, event_of(key(2), kind, kTime, {{"e", "x"}}, "")).accepted);
    // Written another way.
    CHECK_FALSE(stage
                    .offer(kAlice, event_of(key(2), kind, kTime, {},
                                            R"( {"tags" : [["e","x"], ["-"] ],"x":[[[[]]]]})"))
                    .accepted);
    CHECK(stage.offer(kAlice, event_of(key(2), kind, kTime, {}, R"({"tags":["-",[],[5]]})"))
              .accepted);
  }
  // Its author, who has proved that, is no exception; other kinds may quote what they want.
  const Event own = event_of(key(1), 6, kTime, {{"-"}}, to_json(secret));
  CHECK_FALSE(stage.offer(kAlice, own).accepted);
  CHECK(stage.offer(kAlice, event_of(key(2), 1, kTime, {}, to_json(secret))).accepted);
}

TEST_CASE("E11 NIP-67 an EOSE says whether all that is stored has come") {
  RelayOptions options;
  options.max_limit = 3;
  Stage stage(options);
  for (int i = 0; i < 3; ++i) stage.offer(kAlice, event_of(key(1), 1, kTime - i));
  CHECK(hint_for(stage, req("s", kinds({1}))) == EoseHint::finish);
  CHECK(hint_for(stage, req("s", kinds({7}))) == EoseHint::finish);
  CHECK(hint_for(stage, R"(["REQ","s",{"kinds":[1],"limit":2}])") == EoseHint::more);
  CHECK(hint_for(stage, R"(["REQ","s",{"kinds":[1],"limit":3}])") == EoseHint::finish);
  CHECK(hint_for(stage, R"(["REQ","s",{"kinds":[1],"limit":0}])") == EoseHint::none);
  stage.offer(kAlice, event_of(key(1), 1, kTime - 9));
  CHECK(hint_for(stage, req("s", kinds({1}))) == EoseHint::more);
  CHECK(hint_for(stage, R"(["REQ","s",{"kinds":[7]},{"kinds":[1]}])") == EoseHint::more);
  CHECK(stage.ask(kinds({1})).size() == 3);

  RelayOptions small;
  small.max_answer_bytes = 1'000;
  Stage cut(small);
  for (int i = 0; i < 4; ++i)
    cut.offer(kAlice, event_of(key(1), 1, kTime - i, {}, std::string(300, 'x')));
  CHECK(hint_for(cut, req("s", kinds({1}))) == EoseHint::more);
}

TEST_CASE(
    "E12 an expired event that is sent again is refused as expired, not taken for a duplicate") {
  Stage stage;
  const Event event = event_of(key(1), 1, kTime, {{"expiration", std::to_string(kTime + 10)}});
  CHECK(stage.offer(kAlice, event).accepted);
  stage.now.wall.value += 11'000;
  const OkMessage again = stage.offer(kAlice, event);
  CHECK_FALSE(again.accepted);
  CHECK(again.reason.find("expired") != std::string::npos);
}
