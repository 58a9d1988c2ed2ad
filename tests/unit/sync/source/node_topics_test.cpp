#include "ipnscast/sync/source/node_topics.h"

#include <set>

#include "ipnscast/nostr/base/allowance.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using Step = NodeTopics::Step;
using What = Step::What;

namespace {

const Status kYes{};
const Status kOff = fail(Errc::refused, "experimental pubsub feature not enabled");
const Status kAway = fail(Errc::unreachable, "no connection");

// A node on virtual time.
struct World {
  explicit World(size_t count, uint64_t seed = 1, NodeTopics::Options options = {})
      : topics(options, Rng(seed)) {
    for (size_t topic = 0; topic < count; ++topic) topics.add(topic);
  }

  std::vector<Step> due() { return topics.due(now); }
  // Goes to the next moment with something to do.
  std::vector<Step> next() {
    const auto at = topics.next();
    if (!at) return {};
    now = std::max(now, *at);
    return due();
  }
  // The node answers everything as it should; until nothing is left to do.
  void settle_all() {
    for (auto steps = due(); !steps.empty() || topics.next(); steps = next()) {
      for (const Step& step : steps) obey(step);
      if (steps.empty() && topics.next() && *topics.next() > now + std::chrono::hours(3)) return;
    }
  }
  void obey(const Step& step) {
    if (step.what == What::probe) topics.probed(kYes, now);
    if (step.what == What::join) topics.joined(step.topic);
    if (step.what == What::catch_up) topics.caught_up(step.topic, now);
  }

  Instant now = Instant{} + std::chrono::hours(1);
  NodeTopics topics;
};

using Steps = std::vector<Step>;

}  // namespace

TEST_CASE("a topic is joined, subscribed to, and asked about once nobody could be missed (S0-29)") {
  World w(1);
  REQUIRE(w.due() == Steps{{What::probe, 0}});
  CHECK(w.due().empty());
  CHECK_FALSE(w.topics.next());
  w.topics.probed(kYes, w.now);
  REQUIRE(w.due() == Steps{{What::join, 0}});
  CHECK(w.due().empty());
  w.topics.joined(0);
  REQUIRE(w.due() == Steps{{What::subscribe, 0}});
  CHECK(w.topics.next() == w.now + Milliseconds(1'000));
  CHECK(w.topics.live() == 0);
  REQUIRE(w.next() == Steps{{What::catch_up, 0}});
  w.topics.caught_up(0, w.now);
  CHECK(w.topics.live() == 1);
  CHECK_FALSE(w.topics.next());
}

TEST_CASE("a first message shows that the subscription holds") {
  World w(1);
  w.due();
  w.topics.probed(kYes, w.now);
  w.due();
  w.topics.joined(0);
  w.due();
  w.topics.spoke(0, w.now);
  CHECK(w.due() == Steps{{What::catch_up, 0}});
}

TEST_CASE("a node without pubsub is asked again within the hour, and nothing else is tried") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World w(5, seed);
    w.due();
    w.topics.probed(kOff, w.now);
    const Instant before = w.now;
    REQUIRE(w.next() == Steps{{What::probe, 0}});
    CHECK(w.now - before >= std::chrono::minutes(30));
    CHECK(w.now - before <= std::chrono::minutes(60));
    w.topics.probed(kYes, w.now);  // somebody turned it on
    CHECK(w.due().size() == 5);
  }
}

TEST_CASE("a node that is away is asked with growing waits of full jitter, up to five minutes") {
  std::set<Milliseconds> seen;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World w(300, seed);
    w.due();
    Milliseconds longest{0};
    for (int i = 0; i < 40; ++i) {
      w.topics.probed(kAway, w.now);
      const Instant before = w.now;
      REQUIRE(w.next() == Steps{{What::probe, 0}});
      const auto wait = std::chrono::duration_cast<Milliseconds>(w.now - before);
      CHECK(wait > Milliseconds(500));
      CHECK(wait <=
            std::min(Milliseconds(300'000), Milliseconds(1'000 * (int64_t{1} << std::min(i, 20)))));
      longest = std::max(longest, wait);
      seen.insert(wait);
    }
    CHECK(longest > Milliseconds(150'000));
  }
  CHECK(seen.size() > 500);
}

TEST_CASE(
    "a subscription that ends is tried again after the node was asked, and asked about anew") {
  World w(2);
  w.settle_all();
  REQUIRE(w.topics.live() == 2);
  w.now += std::chrono::hours(1);
  w.topics.ended(1, w.now);
  CHECK(w.topics.live() == 1);
  const Instant before = w.now;
  REQUIRE(w.due() == Steps{{What::probe, 0}});
  w.topics.probed(kYes, w.now);
  REQUIRE(w.next() == Steps{{What::join, 1}});
  CHECK(w.now - before > Milliseconds(500));
  CHECK(w.now - before <= Milliseconds(1'000));
  w.topics.joined(1);
  REQUIRE(w.due() == Steps{{What::subscribe, 1}});
  REQUIRE(w.next() == Steps{{What::catch_up, 1}});
}

TEST_CASE("a restarted node is asked once, not once for each of its 256 topics") {
  World w(256);
  w.settle_all();
  REQUIRE(w.topics.live() == 256);
  w.now += std::chrono::hours(1);
  for (size_t topic = 0; topic < 256; ++topic) w.topics.ended(topic, w.now);
  REQUIRE(w.due() == Steps{{What::probe, 0}});
  for (int i = 0; i < 5; ++i) {
    w.topics.probed(kAway, w.now);
    REQUIRE(w.next() == Steps{{What::probe, 0}});
  }
  w.topics.probed(kYes, w.now);
  w.settle_all();
  CHECK(w.topics.live() == 256);
}

TEST_CASE("a topic that fails again and again is left alone for longer, also while others hold") {
  World w(2);
  w.settle_all();
  int tries = 0;
  const Instant end = w.now + std::chrono::hours(24);
  w.topics.ended(0, w.now);
  while (w.topics.next() && *w.topics.next() < end) {
    for (const Step& step : w.next()) {
      if (step.what == What::subscribe) ++tries;
      if (step.what == What::catch_up)
        w.topics.ended(step.topic, w.now);
      else
        w.obey(step);
    }
  }
  CHECK(w.topics.live() == 1);
  CHECK(tries > 24 * 12);  // 5 min at most
  CHECK(tries < 24 * 60);  // about half of it on average, when it is at its longest
}

TEST_CASE("so many topics at a time are on their way, and all of them arrive") {
  World w(256, 1, {.parallel = 16});
  size_t under_way = 0;
  size_t most = 0;
  for (auto steps = w.due(); !steps.empty(); steps = w.next()) {
    for (const Step& step : steps) {
      if (step.what == What::join) most = std::max(most, ++under_way);
      if (step.what == What::catch_up) --under_way;
      w.obey(step);
    }
  }
  CHECK(most == 16);
  CHECK(w.topics.live() == 256);
}

TEST_CASE("after days of failures of every kind all topics are listened to again, by seed") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    World w(20, seed);
    Rng chance(seed);
    const auto one_in = [&](uint64_t n) { return chance() % n == 0; };
    const Instant end = w.now + std::chrono::hours(48);
    std::set<size_t> subscribed;
    uint64_t steps_taken = 0;
    while (w.now < end) {
      for (const Step& step : w.due()) {
        ++steps_taken;
        if (step.what == What::subscribe) subscribed.insert(step.topic);
        if (step.what == What::probe && one_in(3))
          w.topics.probed(one_in(10) ? kOff : kAway, w.now);
        else if (step.what == What::catch_up && one_in(4))
          w.topics.ended(step.topic, w.now);
        else
          w.obey(step);
      }
      const auto next = w.topics.next();
      const Instant upset = w.now + Milliseconds(chance() % 600'000);
      if (!next || upset < *next) {
        w.now = upset;
        if (!subscribed.empty() && one_in(2)) w.topics.ended(*subscribed.begin(), w.now);
        if (one_in(20)) {
          for (const size_t topic : subscribed) w.topics.ended(topic, w.now);
        }
      } else {
        w.now = std::max(w.now, *next);
      }
    }
    CHECK(steps_taken < 100'000);
    w.settle_all();
    CHECK(w.topics.live() == 20);
  }
}

TEST_CASE("a topic's messages are looked at at a rate, whatever came before") {
  Allowance allowance(64, 8);
  Instant now = Instant{} + std::chrono::hours(1);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += allowance.take(now) ? 1 : 0;
  CHECK(taken == 64);
  for (int i = 0; i < 10'000; ++i) taken += allowance.take(now += Milliseconds(1)) ? 1 : 0;
  CHECK(taken >= 64 + 79);
  CHECK(taken <= 64 + 81);
  now += std::chrono::hours(1);
  for (int i = 0; i < 10'000; ++i) taken += allowance.take(now) ? 1 : 0;
  CHECK(taken <= 64 + 81 + 64);
}
