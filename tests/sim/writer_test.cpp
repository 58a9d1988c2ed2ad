// Several devices write one name: WRITER.md, "The world".
#include "ipnscast/tests/sim/writer_world.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

WriterWorld::Setup setup_of(uint64_t seed) {
  Rng rng(seed * 7919);
  const auto roll = [&](uint64_t below) { return static_cast<size_t>(rng() % below); };
  WriterWorld::Setup setup;
  setup.devices = 2 + roll(3);
  setup.own_nodes = roll(3);
  setup.kubo_nodes = roll(3);
  setup.relays = roll(3);
  if (setup.own_nodes + setup.kubo_nodes + setup.relays == 0) setup.relays = 1;
  setup.deciders = static_cast<int>(roll(3));
  setup.resolvers = roll(2) == 0 ? 0 : 60;
  setup.vector = roll(8) != 0;
  setup.foreign_writer = roll(2) == 0;
  return setup;
}

void story(uint64_t seed) {
  INFO("seed " << seed);
  WriterWorld world(seed, setup_of(seed));
  for (int i = 0; i < 120; ++i) world.step();
  world.heal();
  world.run(std::chrono::minutes(10));
  world.check_rest();
}

}  // namespace

TEST_CASE(
    "whatever happens to devices that write one name, none of what they published vanishes "
    "unreported, and in the end they agree (R33, R34, R35, R36, S2-10, S3-03, S3-09)") {
  const size_t runs = sim_runs(100);
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    CAPTURE(seed);
    REQUIRE_NOTHROW(story(seed));
  }
}
