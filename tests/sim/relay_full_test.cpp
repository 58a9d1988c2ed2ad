// A relay that has no room for more subscriptions, and says so with CLOSED "error:".
#include <set>

#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr size_t kSubscriptions = 1000;

// Takes a number of subscriptions and refuses the rest for now; counts what it is sent.
struct FullRelay {
  Machine& machine;
  size_t room = 0;
  std::set<SubscriptionId> live;
  size_t frames = 0;

  // Answers the frames, and what these answers lead to.
  void answer(std::vector<std::string> frames_now) {
    while (!frames_now.empty()) {
      std::vector<std::string> next;
      for (const std::string& frame : frames_now) {
        ++frames;
        const auto message = parse_client_message(frame);
        const auto* req = std::get_if<ReqRequest>(&*message);
        if (req == nullptr) continue;
        for (auto& more : sent(machine.hear(reply(req->subscription))))
          next.push_back(std::move(more));
      }
      frames_now = std::move(next);
    }
  }
  RelayMessage reply(const SubscriptionId& id) {
    if (live.size() >= room) return ClosedMessage{id, "error: the relay is full"};
    live.insert(id);
    return EoseMessage{id};
  }
  void let_pass(Milliseconds length) {
    const Instant end = machine.clock.steady + length;
    for (;;) {
      const auto next = machine.relay.next_tick();
      if (!next || *next > end) break;
      if (*next > machine.clock.steady)
        machine.clock.advance(
            std::chrono::duration_cast<Milliseconds>(*next - machine.clock.steady) +
            Milliseconds(1));
      answer(sent(machine.tick()));
    }
  }
};

void subscribe_all(Machine& m) {
  for (size_t i = 0; i < kSubscriptions; ++i) {
    m.act([&](auto& out) {
      m.relay.subscribe("s" + std::to_string(i), CatchUp::share({{.kinds = {1}}}), {},
                        m.clock.now(), out);
    });
  }
}

}  // namespace

TEST_CASE("a relay that is full is asked again for one subscription at a time, not for each") {
  Machine m;
  m.start();
  subscribe_all(m);
  FullRelay relay{m, 640, {}, 0};
  relay.answer(sent(m.open()));
  CHECK(relay.live.size() == 640);
  CHECK(relay.frames == kSubscriptions);
  relay.let_pass(Milliseconds(600'000));
  CHECK(relay.frames < kSubscriptions + 60);
  CHECK(m.relay.status("s999")->reason == "error: the relay is full");

  relay.room = kSubscriptions;
  relay.let_pass(Milliseconds(600'000));
  CHECK(relay.live.size() == kSubscriptions);
  CHECK(relay.frames < 2 * kSubscriptions + 200);  // CLOSE and REQ for each that was refused
}

TEST_CASE("where one place comes free at a full relay, one subscription gets it") {
  Machine m;
  m.start();
  subscribe_all(m);
  FullRelay relay{m, 640, {}, 0};
  relay.answer(sent(m.open()));
  relay.let_pass(Milliseconds(60'000));
  relay.frames = 0;
  ++relay.room;
  relay.let_pass(Milliseconds(600'000));
  CHECK(relay.live.size() == 641);
  CHECK(relay.frames < 60);
}

TEST_CASE("a few subscriptions that a relay refuses for now do not wait for one another") {
  Machine m;
  m.start();
  for (const char* id : {"a", "b", "c"}) {
    m.act([&](auto& out) {
      m.relay.subscribe(id, CatchUp::share({{.kinds = {1}}}), {}, m.clock.now(), out);
    });
  }
  FullRelay relay{m, 0, {}, 0};
  relay.answer(sent(m.open()));
  relay.let_pass(Milliseconds(600'000));
  relay.frames = 0;
  relay.room = 2;
  relay.let_pass(Milliseconds(300'000));
  CHECK(relay.live.size() == 2);
}
