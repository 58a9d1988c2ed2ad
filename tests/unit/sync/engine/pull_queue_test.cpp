#include "ipnscast/sync/engine/pull_queue.h"

#include <poll.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

IpnsName name_of(uint8_t tag) { return IpnsName::from_key({KeyType::ed25519, Bytes(32, tag)}); }

// What the sync thread would be asked and told.
struct Bench {
  Inbox<IpnsName> asked{1000};
  Inbox<input::Handled> answers{1000};
  PullQueue queue{{[this](const IpnsName& name) { asked.push_reserved(name); },
                   [this](input::Handled handled) { answers.push_reserved(std::move(handled)); }}};

  static action::Deliver change(const IpnsName& name, uint64_t job) {
    return {name, JobId{job}, Change{.name = name}, true};
  }
  bool readable() {
    pollfd one{*queue.event_fd(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  }
  static Instant at_once() { return std::chrono::steady_clock::now(); }
  static Instant soon() { return std::chrono::steady_clock::now() + Seconds(200); }
  // A thread that asks for changes as the sync thread would give them.
  std::jthread answering(uint64_t& job) {
    return std::jthread([this, &job] {
      while (auto name = asked.pop()) queue.give(change(*name, ++job));
    });
  }
};

}  // namespace

TEST_CASE("a change that is pulled is asked for when somebody is there, and acknowledged once") {
  Bench b;
  CHECK(b.queue.next({}, Bench::at_once()).error().code == Errc::timeout);
  CHECK_FALSE(b.readable());
  b.queue.offer(name_of(1), true);
  b.queue.offer(name_of(1), true);
  CHECK(b.readable());
  CHECK(b.queue.counts().waiting == 1);
  uint64_t job = 0;
  const auto thread = b.answering(job);
  const auto taken = b.queue.next({}, Bench::soon());
  REQUIRE(taken);
  CHECK(taken->change.name == name_of(1));
  CHECK_FALSE(b.readable());
  CHECK(b.queue.counts().out == 1);
  REQUIRE(b.queue.acknowledge(taken->id, Handled::reject("no good")));
  const auto answer = b.answers.pop_until(Bench::at_once());
  REQUIRE(answer);
  CHECK(answer->job == JobId{1});
  CHECK(answer->what.is_reject());
  CHECK(b.queue.acknowledge(taken->id, {}).error().code == Errc::not_found);
  CHECK_FALSE(b.answers.pop_until(Bench::at_once()));
  b.asked.close();
}

TEST_CASE("what is acknowledged too late is told so, and not heard") {
  Bench b;
  uint64_t job = 0;
  const auto thread = b.answering(job);
  b.queue.offer(name_of(1), true);
  const auto taken = b.queue.next({}, Bench::soon());
  REQUIRE(taken);
  CHECK(b.queue.revoke(name_of(1), JobId{1}));
  CHECK_FALSE(b.queue.revoke(name_of(1), JobId{1}));
  CHECK(b.queue.acknowledge(taken->id, {}).error().code == Errc::not_found);
  CHECK_FALSE(b.answers.pop_until(Bench::at_once()));
  b.asked.close();
}

TEST_CASE("what is gone when somebody comes for it is passed over") {
  Bench b;
  b.queue.offer(name_of(1), true);
  b.queue.offer(name_of(2), true);
  std::jthread thread([&] {
    b.asked.pop();
    b.queue.offer(name_of(1), false);
    b.asked.pop();
    b.queue.give(Bench::change(name_of(2), 7));
  });
  const auto taken = b.queue.next({}, Bench::soon());
  REQUIRE(taken);
  CHECK(taken->change.name == name_of(2));
}

TEST_CASE("a change that came when nobody waited any more is given to the next who asks") {
  Bench b;
  b.queue.give(Bench::change(name_of(1), 3));
  CHECK(b.readable());
  const auto taken = b.queue.next({}, Bench::at_once());
  REQUIRE(taken);
  CHECK(b.queue.acknowledge(taken->id, {}));
}

TEST_CASE("what is pulled is looked at first, and what is refused is not given out (S0-07)") {
  Bench b;
  b.queue.add(name_of(1), [](const Change&) { return Handled::reject("no good"); });
  b.queue.offer(name_of(1), true);
  b.queue.offer(name_of(2), true);
  uint64_t job = 0;
  const auto thread = b.answering(job);
  const auto taken = b.queue.next({}, Bench::soon());
  REQUIRE(taken);
  CHECK(taken->change.name == name_of(2));
  const auto answer = b.answers.pop_until(Bench::at_once());
  REQUIRE(answer);
  CHECK(answer->name == name_of(1));
  CHECK(answer->what.is_reject());
  b.asked.close();
}

TEST_CASE("who waits for a change is woken by a stop, by the end, and when its name is unwatched") {
  Bench b;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK(b.queue.next(stop.get_token(), {}).error().code == Errc::cancelled);
  b.queue.offer(name_of(1), true);
  std::jthread closer([&] {
    b.asked.pop();
    b.queue.remove(name_of(1));
    b.queue.close();
  });
  CHECK(b.queue.next({}, {}).error().code == Errc::closed);
  CHECK(b.readable());
  CHECK(b.queue.next({}, {}).error().code == Errc::closed);
}

TEST_CASE("many who pull share the names, and nobody gets one that is out") {
  Bench b;
  uint64_t job = 0;
  const auto thread = b.answering(job);
  for (uint8_t i = 1; i <= 200; ++i) b.queue.offer(name_of(i), true);
  std::mutex mutex;
  std::set<IpnsName> seen;
  size_t all = 0;
  {
    std::vector<std::jthread> pullers;
    for (int i = 0; i < 4; ++i) {
      pullers.emplace_back([&] {
        for (;;) {
          const auto taken = b.queue.next({}, Bench::at_once());
          if (!taken) return;
          const std::lock_guard lock(mutex);
          seen.insert(taken->change.name);
          ++all;
        }
      });
    }
  }
  CHECK(all == 200);
  CHECK(seen.size() == 200);
  CHECK(b.queue.counts().out == 200);
  b.asked.close();
}
