// Months and years of a pool's life on a virtual clock, by seed.
#include <malloc.h>

#include <cstdlib>

#include "ipnscast/tests/sim/relay_world.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr Milliseconds kDay{86'400'000};

void check_nothing_lost(World& world) {
  const Publisher& publisher = *world.publisher;
  const Reader& reader = *world.reader;
  size_t missing = 0;
  for (const EventId& id : publisher.regular) missing += reader.regular.count(id) == 0;
  CHECK(missing == 0);
  CHECK(reader.regular.size() == publisher.regular.size());
  for (const auto& [address, newest] : publisher.addressed) {
    const auto known = reader.addressed.find(address);
    REQUIRE(known != reader.addressed.end());
    CHECK(known->second.id == newest.id);
  }
}

// What is allocated in this process, at one moment of a virtual year. The events that the test
// itself keeps count of grow with time; everything else has to stay as it is.
struct MemorySample {
  size_t bytes = 0;
  size_t counted_events = 0;
};

MemorySample memory_of(const World& world) {
  const struct mallinfo2 now = mallinfo2();
  return {now.uordblks + now.hblkhd, world.publisher->regular.size()};
}

}  // namespace

TEST_CASE(
    "R5 R17 forty days of failing relays, killed readers and jumping clocks lose no event, by "
    "seed") {
  for (uint64_t seed = 1; seed <= sim_runs(12); ++seed) {
    INFO("seed " << seed);
    World world(seed, 3);
    world.run(40 * kDay);
    check_nothing_lost(world);
    REQUIRE(world.publisher->waiting() == 0);
    CHECK(world.reader->client()->shortest_wait() > Milliseconds(500));
  }
}

TEST_CASE("R5 the marks alone lose nothing where events are late by less than the overlap") {
  Relay::Options options;
  options.catch_up.overlap = options.catch_up.deep_overlap = Seconds(2 * 3600);
  for (uint64_t seed = 1; seed <= sim_runs(12); ++seed) {
    INFO("seed " << seed);
    World world(seed, 2, options, false);
    world.run(40 * kDay);
    check_nothing_lost(world);
  }
}

TEST_CASE("NIP-77 brings what was missed too, also from a relay that keeps things back") {
  for (uint64_t seed = 1; seed <= sim_runs(8); ++seed) {
    INFO("seed " << seed);
    World world(seed, 3, {}, true, true);
    world.run(40 * kDay);
    check_nothing_lost(world);
    CHECK(world.relays[1]->reconciliations > 2);
  }
}

TEST_CASE("a virtual year: nothing is lost, and the state stays as small as after a month") {
  World young(7, 4);
  young.run(30 * kDay);
  World world(7, 4);
  std::vector<MemorySample> quarters;
  for (int quarter = 1; quarter <= 4; ++quarter) {
    world.time.after(quarter * 91 * kDay, [&] { quarters.push_back(memory_of(world)); });
  }
  world.run(365 * kDay);
  check_nothing_lost(world);
  CHECK(world.publisher->waiting() == 0);
  // Hundreds of connections come and go in a quarter: a kilobyte left by each would show.
  REQUIRE(quarters.size() == 4);
  constexpr size_t kOfCountedEvent = 2 * 80;  // a node in the publisher's set, one in the reader's
  constexpr size_t kUpAndDown = 192 * 1024;   // what relays have stored at the moment, for 60 days
  for (const MemorySample& later : quarters) {
    const size_t counted = later.counted_events - quarters[0].counted_events;
    INFO(later.bytes << " bytes after " << quarters[0].bytes << " and " << counted << " events, "
                     << world.reader->client()->connects() << " connections");
    CHECK(later.bytes <= quarters[0].bytes + counted * kOfCountedEvent + kUpAndDown);
  }
  CHECK(world.publisher->state_pages() <= 2 * young.publisher->state_pages());
  // The average wait between two tries lies far above the first one.
  CHECK(world.reader->client()->connects() < 4 * 24 * 365 * 3);

  const auto regular = world.reader->regular;
  const auto addressed = world.reader->addressed;
  world.reader->kill();  // everything that relays still have comes again
  world.reader->start();
  world.time.run_until(world.time.now().steady + kDay);
  CHECK(world.reader->regular == regular);
  CHECK(world.reader->addressed == addressed);
}
