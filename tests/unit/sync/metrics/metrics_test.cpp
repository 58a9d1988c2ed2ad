#include <cmath>

#include "ipnscast/sync/metrics/meter.h"
#include "ipnscast/sync/metrics/thinning.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using std::chrono::microseconds;

TEST_CASE("what is done is counted and timed; what was cancelled is not (S1-12)") {
  Meter meter;
  for (int i = 1; i <= 1000; ++i) meter.note(Operation::resolve, {}, microseconds(i * 1000));
  meter.note(Operation::fetch, fail(Errc::unreachable, "nobody"), microseconds(10));
  meter.note(Operation::fetch, fail(Errc::cancelled, "no need"), microseconds(10));
  meter.note(Operation::fetch, fail(Errc::closed, "shut down"), microseconds(10));
  const Metrics metrics = meter.snapshot();
  const OperationMetrics& resolve = metrics.of(Operation::resolve);
  CHECK(resolve.count == 1000);
  CHECK(resolve.failures == 0);
  CHECK(resolve.slow == 0);
  CHECK(std::abs(resolve.p50.count() - 500'000) < 25'000);
  CHECK(std::abs(resolve.p95.count() - 950'000) < 10'000);
  CHECK(std::abs(resolve.p99.count() - 990'000) < 5'000);
  CHECK(metrics.of(Operation::fetch).count == 1);
  CHECK(metrics.of(Operation::fetch).failures == 1);
  CHECK(metrics.of(Operation::publish).count == 0);
  CHECK(metrics.of(Operation::publish).p99 == microseconds(0));
}

TEST_CASE("millions of blocks are timed, and their quantiles are made of some thousands") {
  Thinning thinning;
  const Instant start = std::chrono::steady_clock::now();
  size_t kept = 0;
  for (int i = 0; i < 4'000; ++i) kept += thinning.keep(start);
  CHECK(kept == 4'000);
  for (int i = 0; i < 5'000'000; ++i) kept += thinning.keep(start);
  CHECK(kept > 8'000);
  CHECK(kept < 60'000);
  CHECK(thinning.keep(start + Seconds(120)));
  CHECK(thinning.keep(start + Seconds(121)));

  Meter meter;
  for (int i = 1; i <= 300'000; ++i) meter.note(Operation::block, {}, microseconds(i % 1000));
  const Metrics metrics = meter.snapshot();
  const OperationMetrics& block = metrics.of(Operation::block);
  CHECK(block.count == 300'000);
  CHECK(std::abs(block.p50.count() - 500) < 50);
}

TEST_CASE("what takes longer than the target is counted, and its slowest part is asked for") {
  Meter meter;
  int asked = 0;
  const auto slowest = [&] {
    ++asked;
    return std::string("all of it");
  };
  meter.note(Operation::fetch, {}, kOperationTarget, slowest);
  CHECK(asked == 0);
  CHECK(meter.snapshot().meets_target());
  meter.note(Operation::fetch, {}, kOperationTarget + microseconds(1), slowest);
  CHECK(asked == 1);
  CHECK(meter.snapshot().of(Operation::fetch).slow == 1);
  for (int i = 0; i < 100; ++i) meter.note(Operation::fetch, {}, 2 * kOperationTarget, slowest);
  CHECK(asked == 101);
  CHECK_FALSE(meter.snapshot().meets_target());
}

TEST_CASE("metrics are read back as they were written, and nonsense is refused") {
  Meter meter;
  meter.note(Operation::publish, {}, microseconds(1234));
  Metrics metrics = meter.snapshot();
  metrics.records = {3, 4};
  metrics.blocks = {5, 6};
  const auto again = Metrics::from_json(metrics.to_json());
  REQUIRE(again);
  CHECK(again->to_json() == metrics.to_json());
  CHECK(again->of(Operation::publish).p50 == microseconds(1234));
  for (const char* bad : {"", "{}", "[]", "7", R"({"at":1,"records":{},"blocks":{}})"})
    CHECK(Metrics::from_json(bad).error().code == Errc::parse);
}

TEST_CASE(
    "without samples nothing is said about the target (G3), and many bytes may take time (G2)") {
  Meter meter;
  CHECK_FALSE(meter.snapshot().measured());
  meter.note(Operation::resolve, {}, microseconds(1'000));
  CHECK(meter.snapshot().measured());
  CHECK(meter.snapshot().meets_target());
  CHECK(target_for(0) == kOperationTarget);
  CHECK(target_for(100 << 20) == kOperationTarget + Milliseconds(100'000));
  int asked = 0;
  const auto slowest = [&] {
    ++asked;
    return std::string("sending");
  };
  meter.note(Operation::publish, {}, std::chrono::seconds(60), slowest, target_for(100 << 20));
  CHECK(asked == 0);
  meter.note(Operation::publish, {}, std::chrono::seconds(110), slowest, target_for(100 << 20));
  CHECK(asked == 1);
}

TEST_CASE("the health of each source is kept with the metrics (S0-57)") {
  Metrics metrics;
  metrics.sources = {{"relay", "wss://a.example", true}, {"gateway", "https://b.example", false}};
  const auto read = Metrics::from_json(metrics.to_json());
  REQUIRE(read);
  CHECK(read->sources == metrics.sources);
}
