#include "ipnscast/tests/interop/fault_trial.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"

// Five Kubo nodes behind fault proxies. What is asserted is the outcome; bench_ipfs measures.
using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("S1-16 S1-20 S1-23 R20 R21 one honest node of five is enough, whatever the others do") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  FaultStage stage(*folder);
  uint64_t seed = 4'000;
  for (const FaultScenario& scenario : fault_scenarios()) {
    for (const bool floor : {true, false}) {
      ++seed;
      INFO(scenario.what << (floor ? ", floor" : ", no floor") << ", seed " << seed);
      FaultRun run(stage, deal(scenario, seed), seed);
      const TrialResult result = run.trial(seed, floor);
      CHECK(result.failure == "");
      CHECK(result.total < Milliseconds(10'000));
    }
  }
}

TEST_CASE("S1-26 with the floor of a hint an old record is never handed over") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  FaultStage stage(*folder);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    FaultRun run(stage, deal({"four stale", std::vector<Fault>(4, Fault::stale)}, seed), seed);
    const TrialResult result = run.trial(seed, true);
    CHECK(result.failure == "");
    CHECK_FALSE(result.stale_first);
  }
}
