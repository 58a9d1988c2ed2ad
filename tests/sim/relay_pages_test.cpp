// Stored events that come in pages, from relays that cut answers short, refuse and forge.
#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr int64_t kNewest = 1'700'000'000;

std::vector<ReqRequest> requests(const Relay::Actions& actions) {
  std::vector<ReqRequest> out;
  for (const std::string& frame : sent(actions)) {
    const auto message = parse_client_message(frame);
    REQUIRE(message);
    if (const auto* req = std::get_if<ReqRequest>(&*message)) out.push_back(*req);
  }
  return out;
}

// Advances second by second until a REQ is sent, at most this long.
std::optional<ReqRequest> next_request(Machine& m, Seconds at_most) {
  for (Seconds passed{0}; passed < at_most; passed += Seconds(1)) {
    m.clock.advance(Milliseconds(1'000));
    const auto sent_now = requests(m.tick());
    if (!sent_now.empty()) return sent_now.front();
  }
  return std::nullopt;
}

// Connected, and the first answer came with so many events, its end not yet.
struct Begun : Machine {
  explicit Begun(int events = 12, std::vector<Filter> filters = {{.kinds = {1}}}) {
    start();
    open();
    subscribe(std::move(filters));
    for (int i = 0; i < events; ++i) hear(EventMessage{"s", event_at(kNewest - i)});
  }
  StoredEnd::Kind kind() const { return relay.end("s").value().kind; }
};

CheckedFrame forged(const SubscriptionId& subscription, int64_t claimed) {
  CheckedFrame out;
  out.verdict = Verdict::bad_signature;
  out.subscription = subscription;
  out.created_at = {claimed};
  return out;
}

Relay::Actions hear_frame(Machine& m, CheckedFrame frame) {
  return m.act([&](auto& out) { m.relay.frame(std::move(frame), m.clock.now(), out); });
}

}  // namespace

TEST_CASE("R5 a page that is refused for now is asked for again, and only its end is the end") {
  Begun m;
  const auto asked = requests(m.hear(EoseMessage{"s"}));
  REQUIRE(asked.size() == 1);
  const auto refused = m.hear(ClosedMessage{asked[0].subscription, "rate-limited: slow down"});
  CHECK(count<Relay::ReachedEnd>(refused) == 1);
  CHECK(m.kind() == StoredEnd::Kind::delayed);
  CHECK(m.relay.end("s")->reason == "rate-limited: slow down");
  CHECK(m.relay.status("s")->state == SubscriptionState::live);
  CHECK_FALSE(m.relay.covered("s"));
  const auto again = next_request(m, Seconds(3));
  REQUIRE(again);
  CHECK(again->filters == asked[0].filters);
  // Refused a second time, it is not told again.
  CHECK(count<Relay::ReachedEnd>(m.hear(ClosedMessage{again->subscription, "error: busy"})) == 0);
  const auto third = next_request(m, Seconds(5));
  REQUIRE(third);
  m.hear(EventMessage{third->subscription, event_at(kNewest - 11)});
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{third->subscription})) == 1);
  CHECK(m.kind() == StoredEnd::Kind::complete);
  CHECK(m.relay.covered("s") == UnixSeconds{kNewest});
}

TEST_CASE("R5 a page without an end is asked for again under another id") {
  Begun m;
  const auto asked = requests(m.hear(EoseMessage{"s"}));
  REQUIRE(asked.size() == 1);
  const auto again = next_request(m, Seconds(40));
  REQUIRE(again);
  CHECK(again->subscription != asked[0].subscription);
  CHECK(again->filters == asked[0].filters);
  CHECK(m.kind() == StoredEnd::Kind::delayed);
  CHECK(m.hear(EoseMessage{asked[0].subscription}).empty());  // late: half of it came before
  CHECK(m.kind() == StoredEnd::Kind::delayed);
  m.hear(EoseMessage{again->subscription});
  CHECK(m.kind() == StoredEnd::Kind::complete);
}

TEST_CASE("a page that is refused for good is reported, and asked for again after an hour") {
  Begun m;
  const auto asked = requests(m.hear(EoseMessage{"s"}));
  m.hear(ClosedMessage{asked[0].subscription, "restricted: members only"});
  CHECK(m.kind() == StoredEnd::Kind::incomplete);
  CHECK_FALSE(next_request(m, Seconds(3'500)));
  const auto again = next_request(m, Seconds(200));
  REQUIRE(again);
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{again->subscription})) == 1);
  CHECK(m.kind() == StoredEnd::Kind::complete);
}

TEST_CASE("NIP-11 one place among a relay's subscriptions is kept for pages") {
  Machine m;
  m.start();
  m.relay.announced(*parse_relay_information(R"({"limitation":{"max_subscriptions":3}})"));
  for (const char* id : {"a", "b", "c"}) {
    m.act([&](auto& out) {
      m.relay.subscribe(id, CatchUp::share({{.kinds = {1}}}), {}, m.clock.now(), out);
    });
  }
  CHECK(requests(m.open()).size() == 2);
  for (const char* id : {"a", "b"}) {
    for (int i = 0; i < 10; ++i) m.hear(EventMessage{id, event_at(kNewest - i)});
  }
  const auto page = requests(m.hear(EoseMessage{"a"}));
  REQUIRE(page.size() == 1);
  CHECK(requests(m.hear(EoseMessage{"b"})).empty());  // one after the other
  CHECK(m.relay.end("b")->kind == StoredEnd::Kind::delayed);
  const auto next = requests(m.hear(EoseMessage{page[0].subscription}));
  REQUIRE(next.size() == 1);
  CHECK(Relay::owner(next[0].subscription) == "b");
  m.hear(EoseMessage{next[0].subscription});
  CHECK(m.relay.end("b")->kind == StoredEnd::Kind::complete);
  CHECK(m.relay.status("c")->state == SubscriptionState::waiting);
}

TEST_CASE("R5 a relay's claim of a high limit does not make a cut answer whole") {
  Machine m;
  m.start();
  m.relay.announced(*parse_relay_information(R"({"limitation":{"max_limit":5000}})"));
  m.open();
  m.subscribe({{.kinds = {1}}});
  for (int i = 0; i < 69; ++i) m.hear(EventMessage{"s", event_at(kNewest - i)});
  CHECK(requests(m.hear(EoseMessage{"s"})).size() == 1);
}

TEST_CASE("R5 a few large events may be a cut answer too, also when they are asked for by id") {
  Filter by_id;
  by_id.ids = {EventId{}, event_at(kNewest).id, event_at(kNewest - 1).id};
  for (const Filter& filter : {Filter{.kinds = {1}}, by_id}) {
    Machine m;
    m.start();
    m.open();
    m.subscribe({filter});
    for (int i = 0; i < 2; ++i) {
      CheckedFrame large = say(EventMessage{"s", event_at(kNewest - i)});
      large.bytes = 140 * 1024;
      CHECK(count<Relay::Deliver>(hear_frame(m, std::move(large))) == 1);
    }
    const auto page = requests(m.hear(EoseMessage{"s"}));
    REQUIRE(page.size() == 1);
    CHECK(page[0].filters[0].until == UnixSeconds{kNewest - 1});
    m.hear(EoseMessage{page[0].subscription});
    CHECK(m.relay.end("s")->kind == StoredEnd::Kind::complete);
  }
}

TEST_CASE(
    "R5 R19 forged events count among an answer, and the true ones lead on to the next page") {
  Begun m(4);
  for (int i = 0; i < 8; ++i) hear_frame(m, forged("s", 5));
  const auto page = requests(m.hear(EoseMessage{"s"}));
  REQUIRE(page.size() == 1);
  CHECK(page[0].filters[0].until == UnixSeconds{kNewest - 3});
  m.hear(EoseMessage{page[0].subscription});
  CHECK(m.relay.covered("s") == UnixSeconds{kNewest});
}

TEST_CASE("R5 events that were not asked for count too") {
  Begun m(4);
  for (int i = 0; i < 8; ++i) m.hear(EventMessage{"s", event_at(kNewest - 50, 7)});
  CHECK(m.relay.counters().unsolicited == 8);
  CHECK(requests(m.hear(EoseMessage{"s"})).size() == 1);
}

TEST_CASE("a relay that has nothing but forgeries is asked for a few pages, and its mark stays") {
  for (const int64_t step : {0, 1, 100}) {
    Begun m(0);
    int64_t claimed = kNewest;
    const auto forge = [&](const SubscriptionId& id) {
      for (int i = 0; i < 20; ++i) hear_frame(m, forged(id, claimed -= step));
    };
    forge("s");
    auto page = requests(m.hear(EoseMessage{"s"}));
    size_t pages = 0;
    while (!page.empty() && pages < 100) {
      ++pages;
      forge(page[0].subscription);
      page = requests(m.hear(EoseMessage{page[0].subscription}));
    }
    CHECK(pages == 20);
    CHECK(m.kind() == StoredEnd::Kind::incomplete);
    CHECK_FALSE(m.relay.covered("s"));
    CHECK(m.relay.status("s")->state == SubscriptionState::live);
  }
}

TEST_CASE("a hole of forgeries in a relay that checks nothing is passed") {
  Begun m(10);
  auto page = requests(m.hear(EoseMessage{"s"}));
  int64_t at = kNewest - 9;
  for (int turn = 0; turn < 5; ++turn) {
    REQUIRE(page.size() == 1);
    for (int i = 0; i < 10; ++i) hear_frame(m, forged(page[0].subscription, --at));
    page = requests(m.hear(EoseMessage{page[0].subscription}));
  }
  REQUIRE(page.size() == 1);
  CHECK(page[0].filters[0].until == UnixSeconds{at});
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{page[0].subscription, event_at(at - 1)})) == 1);
  m.hear(EoseMessage{page[0].subscription});
  CHECK(m.kind() == StoredEnd::Kind::complete);
}
