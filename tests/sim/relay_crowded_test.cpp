// More events of one second than a relay sends at once.
#include <algorithm>

#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr int64_t kSecond = 1'700'000'000;

Event numbered(int number, int64_t created_at = kSecond, int kind = 1) {
  static const SecretKey key = SecretKey::generate();
  return sign_event(key, {{created_at}, kind, {}, std::to_string(number)});
}

// A relay that sends `cap` events at a time, newest first and of one second the lowest id first.
struct Capped {
  Machine m;
  size_t cap = 100;
  std::vector<Event> stored;
  std::set<EventId> unnamed;   // left out by NIP-77
  std::set<EventId> withheld;  // not given by id
  bool says_how_much = false;  // NIP-67
  bool takes_larger_limit = false;
  std::set<EventId> delivered;
  size_t requests = 0;
  size_t negotiations = 0;
  std::vector<StoredEnd> ends;

  void run(std::vector<Filter> filters, const std::string& document = "{}") {
    m.start();
    m.open();
    if (!document.empty()) m.relay.announced(*parse_relay_information(document));
    react(m.subscribe(std::move(filters)));
  }
  void react(const Relay::Actions& actions) {
    for (const auto& action : actions) {
      if (const auto* event = std::get_if<Relay::Deliver>(&action))
        delivered.insert(event->event.id);
      if (std::holds_alternative<Relay::ReachedEnd>(action)) ends.push_back(*m.relay.end("s"));
      if (const auto* send = std::get_if<Relay::Send>(&action))
        hear(*parse_client_message(send->frame));
    }
  }
  void hear(const ClientMessage& message) {
    if (const auto* open = std::get_if<NegOpenRequest>(&message)) {
      ++negotiations;
      filter_ = open->filter;
      answer(open->message);
    } else if (const auto* next = std::get_if<NegMessage>(&message)) {
      answer(next->message);
    } else if (const auto* req = std::get_if<ReqRequest>(&message)) {
      serve(*req);
    }
  }
  void serve(const ReqRequest& req) {
    ++requests;
    std::vector<Event> all;
    size_t most = 0;
    for (const Filter& filter : req.filters)
      most += std::min<size_t>(filter.limit.value_or(cap), takes_larger_limit ? 5000 : cap);
    for (const Event& event : stored) {
      const bool hidden = !req.filters[0].ids.empty() && withheld.contains(event.id);
      if (matches_any(req.filters, event) && !hidden) all.push_back(event);
    }
    std::sort(all.begin(), all.end(), [](const Event& a, const Event& b) {
      return a.created_at != b.created_at ? a.created_at > b.created_at : a.id < b.id;
    });
    const bool whole = all.size() <= most;
    if (!whole) all.resize(most);
    for (const Event& event : all) react(m.hear(EventMessage{req.subscription, event}));
    const EoseHint hint = !says_how_much ? EoseHint::none
                          : whole        ? EoseHint::finish
                                         : EoseHint::more;
    react(m.hear(EoseMessage{req.subscription, hint}));
  }
  void answer(ByteView message) {
    std::vector<NegentropyItem> items;
    for (const Event& event : stored) {
      if (matches(filter_, event) && !unnamed.contains(event.id))
        items.push_back({event.created_at, event.id});
    }
    react(m.hear(NegMessage{"s", *negentropy_answer(*NegentropySet::seal(items), message)}));
  }

 private:
  Filter filter_;
};

Capped with(int events) {
  Capped out;
  for (int i = 0; i < events; ++i) out.stored.push_back(numbered(i));
  return out;
}

}  // namespace

TEST_CASE("E2 of one second more events than an answer holds come by NIP-77, all of them") {
  Capped relay = with(1'200);
  relay.stored.push_back(numbered(1, kSecond - 10));
  relay.stored.push_back(numbered(2, kSecond + 10));
  relay.cap = 500;
  relay.run({{.kinds = {1}}}, R"({"supported_nips":[1,77]})");
  CHECK(relay.delivered.size() == 1'202);
  CHECK(relay.negotiations == 1);
  REQUIRE(relay.ends.size() == 1);
  CHECK(relay.ends[0] == StoredEnd{});
  CHECK(relay.m.relay.covered("s") == UnixSeconds{kSecond + 10});
}

TEST_CASE(
    "E2 where nothing brings the rest of a second the answer is incomplete and the mark stays") {
  Capped relay = with(300);
  relay.stored.push_back(numbered(1, kSecond - 10));
  relay.run({{.kinds = {1}}});
  CHECK(relay.delivered.size() == 101);  // what is further back comes all the same
  REQUIRE(relay.ends.size() == 1);
  CHECK(relay.ends[0].kind == StoredEnd::Kind::incomplete);
  CHECK(relay.ends[0].reason.find("created_at 1700000000") != std::string::npos);
  CHECK_FALSE(relay.m.relay.covered("s"));
  // What comes now does not hide what is missing.
  relay.m.hear(EventMessage{"s", numbered(5, kSecond + 100)});
  CHECK_FALSE(relay.m.relay.covered("s"));
}

TEST_CASE(
    "E2 a relay that names a part of a second, or does not give what it names, is incomplete") {
  for (const bool names : {false, true}) {
    Capped relay = with(300);
    for (int i = 0; i < 250; ++i)
      (names ? relay.withheld : relay.unnamed).insert(relay.stored[static_cast<size_t>(i)].id);
    relay.run({{.kinds = {1}}}, R"({"supported_nips":[77]})");
    CHECK(relay.negotiations == 1);
    CHECK(relay.ends.back().kind == StoredEnd::Kind::incomplete);
    CHECK_FALSE(relay.m.relay.covered("s"));
  }
}

TEST_CASE("E2 a crowded second is asked for by fewer kinds at a time where there is no NIP-77") {
  Capped relay;
  std::vector<int> kinds;
  for (int kind = 1000; kind < 1064; ++kind) {
    kinds.push_back(kind);
    for (int i = 0; i < 5; ++i) relay.stored.push_back(numbered(i, kSecond, kind));
  }
  relay.run({{.kinds = kinds}});
  CHECK(relay.delivered.size() == 320);
  CHECK(relay.ends.back() == StoredEnd{});
  CHECK(relay.m.relay.covered("s") == UnixSeconds{kSecond});
  CHECK(relay.requests < 140);
}

TEST_CASE("E2 NIP-11 a larger limit brings a second where the relay takes one") {
  Capped relay = with(1'200);
  relay.takes_larger_limit = true;
  relay.run({{.kinds = {1}}}, R"({"limitation":{"max_limit":5000,"default_limit":100}})");
  CHECK(relay.delivered.size() == 1'200);
  CHECK(relay.ends.back() == StoredEnd{});
}

TEST_CASE("E2 a relay that was seen to stop short is not believed its larger limit") {
  Capped relay = with(300);
  relay.stored.push_back(numbered(1, kSecond - 10));
  relay.run({{.kinds = {1}}}, R"({"limitation":{"max_limit":5000}})");
  CHECK(relay.ends.back().kind == StoredEnd::Kind::incomplete);
}

TEST_CASE("E2 the information document is waited for before a second is given up") {
  Capped relay = with(300);
  relay.run({{.kinds = {1}}}, "");
  REQUIRE(relay.ends.size() == 1);
  CHECK(relay.ends[0].kind == StoredEnd::Kind::delayed);
  relay.m.relay.announced(*parse_relay_information(R"({"supported_nips":[77]})"));
  relay.react(relay.m.tick());
  CHECK(relay.delivered.size() == 300);
  CHECK(relay.ends.back() == StoredEnd{});
}

TEST_CASE("E2 without an information document a second is given up after a while") {
  Capped relay = with(300);
  relay.run({{.kinds = {1}}}, "");
  relay.m.clock.advance(Milliseconds(11'000));
  relay.react(relay.m.tick());
  CHECK(relay.ends.back().kind == StoredEnd::Kind::incomplete);
}

TEST_CASE("E2 a limit above what an answer holds is reached in pages, and not passed") {
  Capped relay;
  for (int i = 0; i < 400; ++i) relay.stored.push_back(numbered(i, kSecond - i / 3));
  relay.run({{.kinds = {1}, .limit = 250}});
  CHECK(relay.delivered.size() == 250);
  CHECK(relay.ends.back() == StoredEnd{});
  for (size_t i = 0; i < 250; ++i) CHECK(relay.stored[i].created_at >= UnixSeconds{kSecond - 84});
}

TEST_CASE("E11 NIP-67 a relay that has sent all is not asked for pages, one that has more is") {
  Capped whole = with(50);
  whole.says_how_much = true;
  whole.run({{.kinds = {1}}});
  CHECK(whole.requests == 1);
  CHECK(whole.ends.back() == StoredEnd{});

  Capped few;
  few.cap = 4;  // fewer than a relay is thought to stop at
  few.says_how_much = true;
  for (int i = 0; i < 30; ++i) few.stored.push_back(numbered(i, kSecond - i));
  few.run({{.kinds = {1}}});
  CHECK(few.delivered.size() == 30);
  CHECK(few.ends.back() == StoredEnd{});

  Machine lying;
  lying.start();
  lying.open();
  lying.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::ReachedEnd>(lying.hear(EoseMessage{"s", EoseHint::more})) == 1);
  CHECK(lying.relay.end("s")->kind == StoredEnd::Kind::incomplete);
}

TEST_CASE("E2 a relay that hangs up at NIP-77 twice is asked without it") {
  Machine m;
  m.relay.announced(*parse_relay_information(R"({"supported_nips":[77]})"));
  m.start();
  m.act([&](auto& out) {
    m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                      out);
  });
  for (int turn = 0; turn < 2; ++turn) {
    m.open();
    m.hear(EoseMessage{"s"});
    const auto open = m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); });
    REQUIRE(sent(open)[0].starts_with("[\"NEG-OPEN\""));
    m.close();
    m.clock.advance(Milliseconds(7'200'000));
    m.tick();
  }
  CHECK(sent(m.open())[0].find("limit") == std::string::npos);
}
