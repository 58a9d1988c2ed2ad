#include "ipnscast/tests/sim/engine_world.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

// A storm of news, failures and crashes, then calm; each seed is another story.
struct Told {
  size_t older = 0;
  size_t replayed = 0;
};
Told storm(uint64_t seed, const EngineOptions& options, int crash_percent) {
  INFO("seed " << seed);
  EngineWorld world(seed, options, 3);
  world.odds.crash = crash_percent;
  world.odds.refused = 15;
  world.odds.hang = 1;
  for (int i = 0; i < 600; ++i) world.step();
  world.calm(std::chrono::hours(3));
  for (const auto& name : world.names()) {
    INFO("name " << name.to_string());
    const auto* best = world.best(name);
    REQUIRE(best != nullptr);
    const auto* row = world.engine().find(name);
    REQUIRE(row != nullptr);
    REQUIRE(row->record);
    CHECK(row->record->sequence == best->sequence);
    CHECK(row->record->value == best->value);
    if (world.refuses(best->value)) {
      CHECK(row->rejected == best->version());
      const std::string had = row->handed ? row->handed->value : "";
      CHECK((world.handled(name) == had || world.is_unsaid(name)));
    } else {
      CHECK(world.handled(name) == best->value);
      REQUIRE(row->handed);
      CHECK(row->handed->value == best->value);
    }
    CHECK_FALSE(row->owed);
    CHECK_FALSE(row->provisional);
    CHECK_FALSE(row->withdraw_owed);
    CHECK_FALSE(row->replay);
    CHECK_FALSE(world.engine().busy(name));
  }
  CHECK(world.engine().deduplicator().size() <= 3);
  return {world.older(), world.replayed()};
}

}  // namespace

TEST_CASE(
    "after any storm the handler has the value that every device agrees on, or what it had before "
    "it refused that one (R1, R10, R11, S0-07, S0-16, S0-25, S0-62, S0-64)") {
  for (uint64_t seed = 1; seed <= sim_runs(60); ++seed) storm(seed, world_options(), 0);
}

TEST_CASE(
    "crashes at any step lose no change and hand nothing over before it is committed (R6, "
    "S0-63)") {
  for (uint64_t seed = 1000; seed < 1000 + sim_runs(60); ++seed) storm(seed, world_options(), 10);
}

TEST_CASE(
    "who wants every version gets all that were heard in order, and replays never mix with what is "
    "new, crashes included") {
  Told all;
  for (uint64_t seed = 3000; seed < 3000 + sim_runs(60); ++seed) {
    const Told told = storm(seed, world_options(), 5);
    all.older += told.older;
    all.replayed += told.replayed;
  }
  CHECK(all.older > 100);
  CHECK(all.replayed > 100);
}

TEST_CASE(
    "with confirm = trusted every provisional value is confirmed or withdrawn, crashes included") {
  auto options = world_options();
  options.confirm = Confirm::trusted;
  for (uint64_t seed = 2000; seed < 2000 + sim_runs(60); ++seed) storm(seed, options, 5);
}

TEST_CASE("when everything fails there is no hot loop: looking up and fetching back off (S4-32)") {
  EngineWorld world(7, world_options(), 1);
  world.publish(world.names()[0]);
  world.calm(std::chrono::minutes(1));
  world.publish(world.names()[0]);
  world.run(std::chrono::minutes(2));
  world.odds = {.lost_answer = 0, .failure = 100, .stale_answer = 0, .crash = 0};
  for (int i = 0; i < 50; ++i) world.hint(world.names()[0]);
  const size_t lookups = world.lookups();
  const size_t fetches = world.fetches();
  world.run(std::chrono::hours(1));
  // Polls every 30 to 60 s, each followed by a race when it fails, and the few chases of the
  // claims.
  CHECK(world.lookups() - lookups < 350);
  CHECK(world.fetches() - fetches < 120);
}

TEST_CASE("after an outage of all sources polling finds what was missed (S0-58, S0-66, S0-70)") {
  EngineWorld world(8, world_options(), 2);
  for (const auto& name : world.names()) world.publish(name);
  world.calm(std::chrono::minutes(2));
  world.odds = {.lost_answer = 0, .failure = 100, .stale_answer = 0, .crash = 0};
  for (int i = 0; i < 10; ++i) {
    for (const auto& name : world.names()) world.publish(name);
    world.run(std::chrono::minutes(3));
  }
  world.calm(std::chrono::minutes(7));
  for (const auto& name : world.names()) {
    REQUIRE(world.best(name) != nullptr);
    CHECK(world.handled(name) == world.best(name)->value);
  }
}
