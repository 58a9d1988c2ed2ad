#include "ipnscast/nostr/base/workers.h"

#include <atomic>
#include <chrono>

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

namespace {

template <typename Done>
void wait_until(const Done& done) {
  const Instant deadline = std::chrono::steady_clock::now() + Seconds(100);
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(Milliseconds(1));
  }
}

// Holds those who work until it is opened.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  void pass() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return open; });
  }
  void set_open() {
    {
      const std::lock_guard lock(mutex);
      open = true;
    }
    changed.notify_all();
  }
};

}  // namespace

TEST_CASE("threads begin with the work, as many as it needs, and end when there is none") {
  Gate gate;
  std::atomic<int> done = 0;
  std::atomic<int> at_once = 0;
  Workers<int> workers({.name = "test", .threads = 3, .idle = Milliseconds(20)}, [&](int&) {
    ++at_once;
    gate.pass();
    --at_once;
    ++done;
  });
  CHECK(workers.threads() == 0);
  for (int i = 0; i < 5; ++i) REQUIRE(workers.try_push(int(i)));
  wait_until([&] { return at_once == 3; });
  CHECK(workers.threads() == 3);
  gate.set_open();
  wait_until([&] { return done == 5 && workers.threads() == 0; });
  REQUIRE(workers.try_push(6));
  wait_until([&] { return done == 6; });
}

TEST_CASE("a thread that waits takes the next job: none begins beside it") {
  std::atomic<int> done = 0;
  Workers<int> workers({.name = "test", .threads = 8, .idle = Seconds(100)}, [&](int&) { ++done; });
  for (int i = 1; i <= 50; ++i) {
    REQUIRE(workers.try_push(int(i)));
    wait_until([&] { return done == i; });
  }
  // One that has not come back to waiting yet may be missed now and then, never for long.
  CHECK(workers.threads() <= 8);
}

TEST_CASE("more jobs than may wait are refused, and none is lost at the end") {
  Gate gate;
  std::atomic<int> taken = 0;
  std::atomic<int> done = 0;
  Workers<int> workers({.name = "test", .threads = 1, .queued = 2}, [&](int&) {
    ++taken;
    gate.pass();
    ++done;
  });
  REQUIRE(workers.try_push(0));
  wait_until([&] { return taken == 1; });
  CHECK(workers.try_push(1));
  CHECK(workers.try_push(2));
  CHECK_FALSE(workers.try_push(3));
  CHECK(workers.push_reserved(3));
  gate.set_open();
  workers.close();
  CHECK(done == 4);
  CHECK_FALSE(workers.push_reserved(4));
  CHECK_FALSE(workers.try_push(5));
  workers.close();
}

TEST_CASE("many push while threads come and go, and each job is done once") {
  std::atomic<int> sum = 0;
  {
    Workers<int> workers({.name = "test", .threads = 4, .queued = 100'000, .idle = Milliseconds(0)},
                         [&](int& job) { sum += job; });
    std::vector<std::thread> pushers;
    for (int pusher = 0; pusher < 4; ++pusher) {
      pushers.emplace_back([&] {
        for (int i = 0; i < 2'000; ++i) workers.push_reserved(1);
      });
    }
    for (std::thread& pusher : pushers) pusher.join();
  }
  CHECK(sum == 8'000);
}
