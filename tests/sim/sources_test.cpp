#include "ipnscast/tests/sim/source_world.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::sim_runs;
using ipnscast::test::SourceWorld;

namespace {

constexpr size_t kSeeds = 200;
constexpr Milliseconds kSoon{10'000};  // for a hint, a look-up, a fetch and their delays

// A reader that has taken the first version and hears over all ways.
SourceWorld settled(uint64_t seed) {
  SourceWorld world(seed);
  world.run(Milliseconds(20'000));
  REQUIRE(world.up_to_date());
  return world;
}

// The next version comes soon. Whether over this way: a poll may happen to be as quick.
bool comes_over(SourceWorld& world, SourceKind way) {
  world.run(Milliseconds(2'000));
  world.publish();
  world.run(kSoon);
  REQUIRE(world.up_to_date());
  const SourceKind by = world.handed().back().source;
  REQUIRE((by == way || by == SourceKind::poll));
  return by == way;
}

template <typename Story>
void play(const Story& story) {
  for (uint64_t seed = 1; seed <= sim_runs(kSeeds); ++seed) {
    INFO("seed " << seed);
    SourceWorld world = settled(seed);
    story(world);
  }
}

}  // namespace

TEST_CASE(
    "S0-71: the relay is down, WebSocket takes over; both are down, server-sent events do; each is "
    "back without a person") {
  size_t over[3] = {};
  play([&](SourceWorld& world) {
    world.cut(SourceWorld::relay);
    world.cut(SourceWorld::sse);
    over[0] += comes_over(world, SourceKind::websocket) ? 1 : 0;
    world.mend(SourceWorld::sse);
    world.cut(SourceWorld::websocket);
    over[1] += comes_over(world, SourceKind::sse) ? 1 : 0;
    world.mend(SourceWorld::relay);
    world.cut(SourceWorld::sse);
    over[2] += comes_over(world, SourceKind::nostr) ? 1 : 0;
  });
  for (const size_t times : over) CHECK(times >= sim_runs(kSeeds) * 9 / 10);
}

TEST_CASE(
    "S0-70: all sources fail, and a poll finds within a second what the last one could not say any "
    "more (R29)") {
  play([](SourceWorld& world) {
    for (const auto way : {SourceWorld::relay, SourceWorld::websocket, SourceWorld::sse}) {
      if (way == SourceWorld::sse) {
        world.publish();  // cut off together with who says it
      }
      world.cut(way);
    }
    const Instant lost = world.now().steady;
    world.run(Milliseconds(1'000));
    REQUIRE(world.asked());
    REQUIRE(*world.asked() >= lost);
    world.run(kSoon);
    REQUIRE(world.up_to_date());
    // From then on at the quick rate: what is published is seen within the longest interval
    // (S0-57).
    world.publish();
    world.run(Milliseconds(60'000) + kSoon);
    REQUIRE(world.up_to_date());
  });
}

TEST_CASE("S0-69: the network fails in the middle of a sync, which is finished when it is back") {
  play([](SourceWorld& world) {
    for (int round = 0; round < 5; ++round) {
      world.publish();
      world.run(Milliseconds(static_cast<int64_t>(world.roll(1'500))));
      for (int way = 0; way < SourceWorld::kWays; ++way)
        world.cut(static_cast<SourceWorld::Way>(way));
      world.run(Milliseconds(static_cast<int64_t>(world.roll(100'000))));
      for (int way = 0; way < SourceWorld::kWays; ++way)
        world.mend(static_cast<SourceWorld::Way>(way));
      world.run(std::chrono::minutes(6));
      REQUIRE(world.up_to_date());
    }
  });
}

TEST_CASE("S0-66: a device that was off takes the newest version when it is on again") {
  play([](SourceWorld& world) {
    world.off();
    for (int i = 0; i < 5; ++i) {
      world.run(Milliseconds(static_cast<int64_t>(world.roll(3'600'000))));
      world.publish();
    }
    world.on();
    world.run(kSoon);
    REQUIRE(world.up_to_date());
  });
}

TEST_CASE("S0-72: of two values under one sequence every reader ends with the same one (S0-18)") {
  play([](SourceWorld& world) {
    for (int i = 0; i < 3; ++i) {
      world.publish_two();
      world.run(std::chrono::minutes(3));
      REQUIRE(world.up_to_date());
    }
  });
}

TEST_CASE(
    "whatever ways are cut and mended, and the reader switched off meanwhile: the newest version "
    "is "
    "taken once the gateways are there (S0-54, S0-58)") {
  play([](SourceWorld& world) {
    for (int step = 0; step < 60; ++step) {
      const auto way = static_cast<SourceWorld::Way>(world.roll(SourceWorld::kWays));
      switch (world.roll(5)) {
        case 0:
        case 1:
          world.publish();
          break;
        case 2:
          if (world.roll(10) == 0) {
            world.off();
            world.run(Milliseconds(static_cast<int64_t>(world.roll(60'000))));
            world.on();
          }
          break;
        default:
          world.set(way, !world.is_open(way));
      }
      world.run(Milliseconds(static_cast<int64_t>(world.roll(world.roll(4) == 0 ? 90'000 : 800))));
    }
    world.mend(SourceWorld::gateways);
    world.run(std::chrono::minutes(8));
    REQUIRE(world.up_to_date());
  });
}
