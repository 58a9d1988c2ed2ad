// One relay's state machine where the relay speaks NIP-77.
#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

// A relay with NIP-77 that has `stored`, or says that it has only `named`.
struct Reconciling {
  Machine m;
  std::vector<Event> stored;
  std::vector<Event> named;
  size_t negotiations = 0;
  size_t plain_requests = 0;
  size_t delivered = 0;

  Reconciling() {
    RelayInformation information;
    information.supported_nips = {1, 77};
    m.relay.announced(information);
    m.start();
    react(m.act([&](auto& out) {
      m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                        out);
    }));
  }
  void connect() { react(m.open()); }
  void lose_for(Milliseconds time) {
    m.close();
    m.clock.advance(time);
    m.tick();
  }

  void react(const Relay::Actions& actions) {
    for (const auto& action : actions) {
      delivered += std::holds_alternative<Relay::Deliver>(action);
      if (std::holds_alternative<Relay::NeedKnown>(action)) {
        react(m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); }));
      } else if (const auto* send = std::get_if<Relay::Send>(&action)) {
        hear(*parse_client_message(send->frame));
      }
    }
  }
  void hear(const ClientMessage& message) {
    if (const auto* open = std::get_if<NegOpenRequest>(&message)) {
      ++negotiations;
      answer(open->message);
    } else if (const auto* next = std::get_if<NegMessage>(&message)) {
      answer(next->message);
    } else if (const auto* req = std::get_if<ReqRequest>(&message)) {
      if (!req->filters[0].limit && req->filters[0].ids.empty()) ++plain_requests;
      size_t room = req->filters[0].limit.value_or(500);
      for (const Event& event : stored) {
        if (room > 0 && matches_any(req->filters, event)) {
          --room;
          react(m.hear(EventMessage{req->subscription, event}));
        }
      }
      react(m.hear(EoseMessage{req->subscription}));
    }
  }
  void answer(ByteView message) {
    std::vector<NegentropyItem> items;
    for (const Event& event : named) items.push_back({event.created_at, event.id});
    react(m.hear(NegMessage{"s", *negentropy_answer(*NegentropySet::seal(items), message)}));
  }
};

}  // namespace

TEST_CASE("NIP-77 is compared with the plain way the first time, then trusted") {
  Reconciling world;
  const int64_t now = world.m.clock.now().seconds().value;
  for (int i = 0; i < 5; ++i) world.stored.push_back(event_at(now - 1000 - i));
  world.named = world.stored;
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 1);
  CHECK(world.delivered >= 5);
  world.lose_for(Milliseconds(60'000));  // a short absence
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 2);
  world.lose_for(Milliseconds(2 * 3'600'000));
  world.stored.push_back(event_at(now + 3000));
  world.named = world.stored;
  world.delivered = 0;
  world.connect();
  CHECK(world.negotiations == 2);
  CHECK(world.plain_requests == 2);
  CHECK(world.delivered >= 6);
  CHECK(world.m.relay.covered("s") == UnixSeconds{now + 3000});
}

TEST_CASE("NIP-77 is not used again with a relay that kept something back") {
  Reconciling world;
  const int64_t now = world.m.clock.now().seconds().value;
  for (int i = 0; i < 5; ++i) world.stored.push_back(event_at(now - 1000 - i));
  world.named = {world.stored[0]};
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 1);
  CHECK(world.delivered >= 5);
  world.lose_for(Milliseconds(2 * 3'600'000));
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 2);
}

TEST_CASE("an NEG-ERR, garbage and silence end in the plain way") {
  for (int kind = 0; kind < 3; ++kind) {
    INFO(kind);
    Machine m;
    RelayInformation information;
    information.supported_nips = {77};
    m.relay.announced(information);
    m.start();
    m.act([&](auto& out) {
      m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                        out);
    });
    CHECK(sent(m.open())[0].find("\"limit\":1") != std::string::npos);
    CHECK(count<Relay::NeedKnown>(m.hear(EoseMessage{"s"})) == 1);
    const auto open = m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); });
    REQUIRE(sent(open).size() == 1);
    CHECK(sent(open)[0].rfind("[\"NEG-OPEN\"", 0) == 0);
    Relay::Actions after;
    if (kind == 0) {
      after = m.hear(NegError{"s", "blocked: too many records", 1});
    } else if (kind == 1) {
      after = m.hear(NegMessage{"s", {0x61, 0xff}});
    } else {
      m.clock.advance(Milliseconds(30'000));
      after = m.tick();
    }
    const auto frames = sent(after);
    REQUIRE_FALSE(frames.empty());
    CHECK(frames.back().rfind("[\"REQ\"", 0) == 0);
    CHECK(frames.back().find("limit") == std::string::npos);
    CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{"s"})) == 1);
  }
}
