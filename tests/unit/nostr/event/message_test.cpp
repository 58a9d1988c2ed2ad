#include "ipnscast/nostr/event/message.h"

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

Event sample() {
  return sign_event(*SecretKey::from_bytes(Bytes(32, 7)), {{1700000000}, 1, {{"t", "x"}}, "hello"});
}

template <typename Message>
Message relay_says(const std::string& frame) {
  INFO(frame);
  auto message = parse_relay_message(frame);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<Message>(*message));
  return std::get<Message>(*message);
}

template <typename Message>
Message client_says(const std::string& frame) {
  INFO(frame);
  auto message = parse_client_message(frame);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<Message>(*message));
  return std::get<Message>(*message);
}

bool refused(const std::string& frame) {
  return !parse_relay_message(frame) && !parse_client_message(frame);
}

}  // namespace

TEST_CASE("all that a relay says survives its frame") {
  const Event event = sample();
  const auto got = relay_says<EventMessage>(to_frame(RelayMessage(EventMessage{"sub", event})));
  CHECK(got.subscription == "sub");
  CHECK(got.event == event);
  const auto ok = relay_says<OkMessage>(
      to_frame(RelayMessage(OkMessage{event.id, true, "duplicate: have it"})));
  CHECK(ok.id == event.id);
  CHECK(ok.accepted);
  CHECK(ok.reason == "duplicate: have it");
  CHECK_FALSE(
      relay_says<OkMessage>(to_frame(RelayMessage(OkMessage{event.id, false, ""}))).accepted);
  CHECK(relay_says<EoseMessage>(to_frame(RelayMessage(EoseMessage{"s\"1"}))).subscription ==
        "s\"1");
  const auto closed =
      relay_says<ClosedMessage>(to_frame(RelayMessage(ClosedMessage{"s", "auth-required: why"})));
  CHECK(closed.subscription == "s");
  CHECK(closed.reason == "auth-required: why");
  CHECK(relay_says<NoticeMessage>(to_frame(RelayMessage(NoticeMessage{"slow\ndown"}))).text ==
        "slow\ndown");
  CHECK(relay_says<AuthChallenge>(to_frame(RelayMessage(AuthChallenge{"abc"}))).challenge == "abc");
  const auto count = relay_says<CountMessage>(to_frame(RelayMessage(CountMessage{"s", 12})));
  CHECK(count.subscription == "s");
  CHECK(count.count == 12);
  CHECK_FALSE(count.approximate);
  CHECK(relay_says<CountMessage>(to_frame(RelayMessage(CountMessage{"s", 12, true}))).approximate);
  const auto negentropy =
      relay_says<NegMessage>(to_frame(RelayMessage(NegMessage{"s", {0x61, 0xff}})));
  CHECK(negentropy.subscription == "s");
  CHECK(negentropy.message == Bytes{0x61, 0xff});
  const auto error =
      relay_says<NegError>(to_frame(RelayMessage(NegError{"s", "blocked: x", 5000})));
  CHECK(error.subscription == "s");
  CHECK(error.reason == "blocked: x");
  CHECK(error.max_records == 5000u);
  CHECK_FALSE(relay_says<NegError>(R"(["NEG-ERR","s","closed: x"])").max_records);
  CHECK(relay_says<UnknownMessage>(R"(["WHAT","s","61"])").type == "WHAT");
}

TEST_CASE("all that a client says survives its frame") {
  const Event event = sample();
  const std::vector<Filter> filters = {{.kinds = {1}}, {.tags = {{'d', {"x"}}}, .limit = 5}};
  CHECK(client_says<PublishRequest>(to_frame(ClientMessage(PublishRequest{event}))).event == event);
  CHECK(client_says<AuthRequest>(to_frame(ClientMessage(AuthRequest{event}))).event == event);
  const auto req = client_says<ReqRequest>(to_frame(ClientMessage(ReqRequest{"s", filters})));
  CHECK(req.subscription == "s");
  CHECK(req.filters == filters);
  CHECK(client_says<CountRequest>(to_frame(ClientMessage(CountRequest{"s", filters}))).filters ==
        filters);
  CHECK(client_says<CloseRequest>(to_frame(ClientMessage(CloseRequest{"s"}))).subscription == "s");
  const auto open = client_says<NegOpenRequest>(
      to_frame(ClientMessage(NegOpenRequest{"s", filters[1], {0x61, 0}})));
  CHECK(open.subscription == "s");
  CHECK(open.filter == filters[1]);
  CHECK(open.message == Bytes{0x61, 0});
  CHECK(client_says<NegMessage>(to_frame(ClientMessage(NegMessage{"s", {0x61}}))).message ==
        Bytes{0x61});
  CHECK(client_says<NegCloseRequest>(to_frame(ClientMessage(NegCloseRequest{"s"}))).subscription ==
        "s");
  CHECK(client_says<UnknownMessage>(R"(["WHAT","s",{},"61"])").type == "WHAT");
}

TEST_CASE("what relays leave out or add does not stop us") {
  const std::string id(64, 'a');
  CHECK(relay_says<OkMessage>(R"(["OK",")" + id + R"(",true])").reason.empty());
  CHECK(relay_says<ClosedMessage>(R"(["CLOSED","s"])").reason.empty());
  CHECK(relay_says<EoseMessage>(R"( [ "EOSE" , "s" , {"more":1} ] )").subscription == "s");
  CHECK(relay_says<CountMessage>(R"(["COUNT","s",{"count":1,"approximate":true}])").count == 1);
}

TEST_CASE("E12 an OK counts with an id in capital letters, and with null for a reason") {
  const std::string id(64, 'a');
  const std::string capitals(64, 'A');
  for (const std::string& frame :
       {"[\"OK\",\"" + capitals + "\",true,\"\"]", "[\"OK\",\"" + id + "\",true,null]",
        "[\"OK\",\"" + capitals + "\",true]", "[\"OK\",\"" + id + "\",true,{}]"}) {
    INFO(frame);
    const auto message = parse_relay_message(frame);
    REQUIRE(message);
    CHECK(std::get<OkMessage>(*message).accepted);
    CHECK(std::get<OkMessage>(*message).id.bytes[0] == 0xaa);
  }
  CHECK(parse_relay_message(R"(["CLOSED","s",null])"));
  CHECK(parse_relay_message(R"(["NEG-ERR","s",null])"));
}

TEST_CASE("E11 NIP-67 the hints of an EOSE are read, and those that nobody knows are passed over") {
  const auto hint = [](const std::string& third) {
    const auto message = parse_relay_message("[\"EOSE\",\"s\"" + third + "]");
    REQUIRE(message);
    return std::get<EoseMessage>(*message).hint;
  };
  CHECK(hint("") == EoseHint::none);
  CHECK(hint(R"(,["finish"])") == EoseHint::finish);
  CHECK(hint(R"(,["auth","more"])") == EoseHint::more);
  CHECK(hint(R"(,["finish","more"])") == EoseHint::more);
  for (const char* other :
       {",[]", ",null", R"(,"finish")", R"(,["FINISH",5,[]])", R"(,{"finish":1})"})
    CHECK(hint(other) == EoseHint::none);
}

TEST_CASE("R19: frames of another shape are refused") {
  for (const char* frame :
       {"", "x", "{}", "[]", "[1]", "[null]", "[\"EVENT\"]", "[\"EVENT\",\"s\"]",
        "[\"EVENT\",\"s\",1]", "[\"EOSE\"] x", "[\"COUNT\",\"s\"]", "[\"AUTH\"]",
        "[\"EVENT\",\"\",{}]", "[\"\xff\"]"}) {
    INFO(frame);
    CHECK(refused(frame));
  }
  CHECK_FALSE(parse_relay_message(R"(["EOSE",1])"));
  CHECK_FALSE(parse_relay_message(R"(["EOSE",""])"));
  CHECK_FALSE(parse_relay_message(R"(["OK","aa",true])"));
  CHECK_FALSE(parse_relay_message(R"(["OK",")" + std::string(64, 'a') + R"(","true"])"));
  CHECK_FALSE(parse_relay_message(R"(["COUNT","s",{"count":-1}])"));
  CHECK_FALSE(parse_relay_message(R"(["NOTICE",1])"));
  CHECK_FALSE(parse_client_message(R"(["REQ","s"])"));
  CHECK_FALSE(parse_client_message(R"(["NEG-OPEN","s",{}])"));
  CHECK_FALSE(parse_client_message(R"(["NEG-OPEN","s","61"])"));
  CHECK_FALSE(parse_client_message(R"(["NEG-MSG","s","6"])"));
  CHECK_FALSE(parse_relay_message(R"(["NEG-MSG","s",61])"));
  CHECK(parse_relay_message(R"(["NEG-ERR","s"])"));  // it ends what it names all the same
  CHECK_FALSE(parse_client_message(R"(["REQ","s",1])"));
  CHECK(parse_client_message(R"(["REQ","s",{"search":"x"}])").error().code == Errc::unsupported);
  CHECK(parse_relay_message(R"(["EOSE",")" + std::string(64, 'x') + R"("])"));
  CHECK_FALSE(parse_relay_message(R"(["EOSE",")" + std::string(65, 'x') + R"("])"));
  CHECK(parse_relay_message("[\"EOSE\",\"" + std::string(64, 'x') + "\"]"));
}

TEST_CASE("R19: size, depth, filters and the event's own size are bounded") {
  const std::string frame = to_frame(RelayMessage(EventMessage{"s", sample()}));
  CHECK(parse_relay_message(frame, {.max_bytes = frame.size()}));
  CHECK(parse_relay_message(frame, {.max_bytes = frame.size() - 1}).error().code ==
        Errc::too_large);
  const size_t event_size = to_json(sample()).size();
  CHECK(parse_relay_message(frame, {.event = {.max_bytes = event_size}}));
  CHECK(parse_relay_message(frame, {.event = {.max_bytes = event_size - 1}}).error().code ==
        Errc::too_large);
  CHECK(parse_relay_message(std::string(400000, '[') + std::string(400000, ']')).error().code ==
        Errc::too_large);
  CHECK(parse_relay_message("[\"X\"," + std::string(20, '[') + std::string(20, ']') + "]")
            .error()
            .code == Errc::too_large);
  CHECK(parse_client_message(R"(["REQ","s",{},{}])", {.max_filters = 2}));
  CHECK(parse_client_message(R"(["REQ","s",{},{},{}])", {.max_filters = 2}).error().code ==
        Errc::too_large);
}

TEST_CASE("the prefix of a reason is a word before the colon") {
  CHECK(reason_prefix("rate-limited: slow down") == "rate-limited");
  CHECK(reason_prefix("error:") == "error");
  CHECK(reason_prefix("no prefix").empty());
  CHECK(reason_prefix("Not a prefix: x").empty());
  CHECK(reason_prefix("").empty());
}
