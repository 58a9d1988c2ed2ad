#include "ipnscast/sync/engine/handler_lanes.h"

#include <atomic>
#include <future>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

IpnsName name_of(uint8_t number) {
  return IpnsName::from_key({KeyType::ed25519, Bytes(32, number)});
}

action::Deliver change_of(uint8_t number, uint64_t job = 1) {
  return {name_of(number), JobId{job}, Change{ChangeKind::change, name_of(number), {}, {}}};
}

// Lets those go that hang in it.
struct Gate {
  std::promise<void> promise;
  std::shared_future<void> open = promise.get_future().share();
};

struct LanesBench {
  // Shared, as answers may come after this is gone.
  std::shared_ptr<Inbox<input::Handled>> answers = std::make_shared<Inbox<input::Handled>>(10'000);

  HandlerLanes::Done done() const {
    return
        [answers = answers](input::Handled handled) { answers->push_reserved(std::move(handled)); };
  }
  std::optional<input::Handled> next(Milliseconds wait = Milliseconds(30'000)) const {
    return answers->pop_until(std::chrono::steady_clock::now() + wait);
  }
};

HandlerLanes::Handler hangs_in(const Gate& gate, std::atomic<int>* inside = nullptr) {
  return {[open = gate.open, inside](const Change&) {
    if (inside != nullptr) ++*inside;
    open.wait();
    return Status{};
  }};
}
HandlerLanes::Handler quick() {
  return {[](const Change&) { return Status{}; }};
}

void wait_for(const std::function<bool()>& what) {
  while (!what()) std::this_thread::sleep_for(Milliseconds(1));
}

}  // namespace

TEST_CASE("eight handlers that hang do not keep fifty other names waiting, and are each told") {
  const LanesBench bench;
  Gate gate;
  HandlerLanes lanes({.timeout = Milliseconds(4'000)}, bench.done());
  for (uint8_t i = 1; i <= 8; ++i) lanes.set_handler(name_of(i), hangs_in(gate));
  for (uint8_t i = 11; i <= 60; ++i) lanes.set_handler(name_of(i), quick());
  const Instant start = std::chrono::steady_clock::now();
  for (uint8_t i = 1; i <= 8; ++i) lanes.deliver(change_of(i));
  for (uint8_t i = 11; i <= 60; ++i) lanes.deliver(change_of(i));
  std::set<IpnsName> told;
  for (int i = 0; i < 50; ++i) {
    const auto answer = bench.next();
    REQUIRE(answer);
    CHECK(answer->what.is_applied());  // so before any of those that hang was given up
    told.insert(answer->name);
  }
  CHECK(told.size() == 50);
  for (int i = 0; i < 8; ++i) {
    const auto answer = bench.next();
    REQUIRE(answer);
    REQUIRE_FALSE(answer->what.is_applied());
    CHECK(answer->what.why().code == Errc::timeout);
    told.insert(answer->name);
  }
  CHECK(std::chrono::steady_clock::now() - start >= Milliseconds(4'000));
  CHECK(told.size() == 58);
  CHECK(lanes.health().written_off == 8);
  CHECK(lanes.health().healthy());
  gate.promise.set_value();
  wait_for([&] { return lanes.health().written_off == 0; });
  CHECK_FALSE(bench.next(Milliseconds(50)));  // what they return late is nobody's answer
}

TEST_CASE("of one name one handler runs at a time, in order, and names run side by side") {
  const LanesBench bench;
  std::atomic<int> inside[4] = {};
  std::atomic<int> together = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> overlap = false;
  HandlerLanes lanes({}, bench.done());
  for (uint8_t i = 0; i < 4; ++i) {
    lanes.set_handler(name_of(i), {[&, i](const Change&) {
                        if (++inside[i] > 1) overlap = true;
                        const int now = ++together;
                        int seen = most;
                        while (seen < now && !most.compare_exchange_weak(seen, now)) {
                        }
                        std::this_thread::sleep_for(Milliseconds(2));
                        --together;
                        --inside[i];
                        return Status{};
                      }});
  }
  for (uint64_t job = 1; job <= 20; ++job) {
    for (uint8_t i = 0; i < 4; ++i) lanes.deliver(change_of(i, job));
  }
  std::map<IpnsName, uint64_t> last;
  for (int i = 0; i < 80; ++i) {
    const auto answer = bench.next();
    REQUIRE(answer);
    CHECK(answer->job.value == ++last[answer->name]);
  }
  CHECK_FALSE(overlap);
  CHECK(most > 1);
}

TEST_CASE("with one lane handlers never run side by side, however slow they are") {
  const LanesBench bench;
  std::atomic<int> together = 0;
  std::atomic<bool> overlap = false;
  HandlerLanes lanes({.lanes = 1, .patience = Milliseconds(1)}, bench.done());
  for (uint8_t i = 0; i < 5; ++i) {
    lanes.set_handler(name_of(i), {[&](const Change&) {
                        if (++together > 1) overlap = true;
                        std::this_thread::sleep_for(Milliseconds(10));
                        --together;
                        return Status{};
                      }});
    lanes.deliver(change_of(i));
  }
  for (int i = 0; i < 5; ++i) REQUIRE(bench.next());
  CHECK_FALSE(overlap);
}

TEST_CASE("a name whose handler was written off is called again, and only the new answer counts") {
  const LanesBench bench;
  Gate gate;
  std::atomic<int> calls = 0;
  HandlerLanes lanes({.timeout = Milliseconds(100)}, bench.done());
  lanes.set_handler(name_of(1), {[&, open = gate.open](const Change&) -> Status {
                      if (++calls > 1) return {};
                      open.wait();
                      return fail(Errc::refused, "late");
                    }});
  lanes.deliver(change_of(1, 1));
  const auto first = bench.next();
  REQUIRE(first);
  CHECK(first->what.why().code == Errc::timeout);
  lanes.deliver(change_of(1, 2));
  const auto second = bench.next();
  REQUIRE(second);
  CHECK(second->job.value == 2);
  CHECK(second->what.is_applied());
  gate.promise.set_value();
  wait_for([&] { return lanes.health().written_off == 0; });
  CHECK_FALSE(bench.next(Milliseconds(20)));
}

TEST_CASE("so many threads are given up and no more; the lanes say so, and recover") {
  const LanesBench bench;
  Gate gate;
  HandlerLanes lanes({.lanes = 2,
                      .timeout = Milliseconds(50),
                      .patience = Milliseconds(1),
                      .most_slow = 0,
                      .most_written_off = 3},
                     bench.done());
  for (uint8_t i = 1; i <= 5; ++i) lanes.set_handler(name_of(i), hangs_in(gate));
  for (uint8_t i = 1; i <= 5; ++i) lanes.deliver(change_of(i));
  for (uint8_t i = 1; i <= 5; ++i) {
    const auto answer = bench.next();
    REQUIRE(answer);
    CHECK(answer->what.why().code == Errc::timeout);
  }
  CHECK(lanes.health().written_off == 3);
  CHECK(lanes.health().running == 2);
  CHECK_FALSE(lanes.health().healthy());
  // Both lanes are taken for good.
  lanes.set_handler(name_of(9), quick());
  lanes.deliver(change_of(9));
  CHECK_FALSE(bench.next(Milliseconds(100)));
  CHECK(lanes.health().waiting == 1);
  gate.promise.set_value();
  const auto answer = bench.next();
  REQUIRE(answer);
  CHECK(answer->name == name_of(9));
  wait_for([&] { return lanes.health().healthy(); });
}

TEST_CASE("a handler that throws has failed, and its lane goes on") {
  const LanesBench bench;
  HandlerLanes lanes({}, bench.done());
  lanes.set_handler(name_of(1), {[](const Change&) -> Status { throw std::runtime_error("no"); }});
  lanes.set_handler(name_of(2), {[](const Change&) -> Status { throw 7; }});
  for (uint8_t i : {1, 2}) {
    lanes.deliver(change_of(i));
    const auto answer = bench.next();
    REQUIRE(answer);
    CHECK(answer->what.why().code == Errc::internal);
  }
}

TEST_CASE("closing waits for handlers in time, leaves the others, and calls nobody after that") {
  const LanesBench bench;
  auto gate = std::make_shared<Gate>();
  const auto alive = std::make_shared<int>(1);
  std::atomic<int> inside = 0;
  std::atomic<int> called_late = 0;
  {
    HandlerLanes lanes({}, bench.done());
    lanes.set_handler(name_of(1), {[&](const Change&) {
                        ++inside;
                        std::this_thread::sleep_for(Milliseconds(50));
                        return Status{};
                      }});
    lanes.set_handler(name_of(2), {[&inside, gate, alive](const Change&) {
                        ++inside;
                        gate->open.wait();
                        return *alive == 1 ? Status{} : Status(fail(Errc::internal, ""));
                      }});
    lanes.set_handler(name_of(3), {[&](const Change&) {
                        ++called_late;
                        return Status{};
                      }});
    lanes.deliver(change_of(1));
    lanes.deliver(change_of(2));
    wait_for([&] { return inside == 2; });
    CHECK(lanes.close(Milliseconds(1'000)) == 1);
    const auto answer = bench.next(Milliseconds(0));
    REQUIRE(answer);
    CHECK(answer->name == name_of(1));
    lanes.deliver(change_of(3));
    CHECK(lanes.close(Milliseconds(0)) == 0);
  }
  // The handler that was left has all that it uses, after the lanes are gone.
  CHECK(alive.use_count() == 2);
  gate->promise.set_value();
  wait_for([&] { return alive.use_count() == 1; });
  CHECK(called_late == 0);
}

TEST_CASE("lanes that are closed in two of their handlers at once wait for neither") {
  for (int round = 0; round < 50; ++round) {
    const LanesBench bench;
    auto lanes = std::make_shared<HandlerLanes>(HandlerLanes::Options{}, bench.done());
    std::atomic<int> inside = 0;
    for (uint8_t i = 1; i <= 2; ++i) {
      lanes->set_handler(name_of(i), {[&, raw = lanes.get()](const Change&) {
                           ++inside;
                           while (inside < 2) std::this_thread::yield();
                           (void)raw->close(Milliseconds(600'000));
                           return Status{};
                         }});
    }
    lanes->deliver(change_of(1));
    lanes->deliver(change_of(2));
    REQUIRE(bench.next());
    REQUIRE(bench.next());
    CHECK(lanes->close(Milliseconds(600'000)) == 0);
  }
}

TEST_CASE("what a handler entered with is held until its answer was passed on") {
  const LanesBench bench;
  std::atomic<bool> held = false;
  std::atomic<bool> held_at_answer = false;
  HandlerLanes lanes({}, [&, done = bench.done()](input::Handled handled) {
    held_at_answer = held.load();
    done(std::move(handled));
  });
  lanes.set_handler(name_of(1), {[](const Change&) { return Status{}; },
                                 [&] {
                                   held = true;
                                   return std::shared_ptr<void>(&held,
                                                                [&](void*) { held = false; });
                                 }});
  lanes.deliver(change_of(1));
  REQUIRE(bench.next());
  CHECK(held_at_answer);
  wait_for([&] { return !held; });
}
