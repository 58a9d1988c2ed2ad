#include "ipnscast/sync/metrics/meter.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <cstdio>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/metrics/thinning.h"

namespace ipnscast::sync {
namespace {

using Microseconds = std::chrono::microseconds;

// Upper bounds in seconds; the target is one of them.
const prometheus::Histogram::BucketBoundaries kBounds = {
    0.00001, 0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300};
constexpr auto kWindow = std::chrono::minutes(10);

std::string seconds_text(Microseconds took) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(took).count());
  return text;
}

}  // namespace

struct Meter::Impl {
  struct Instruments {
    prometheus::Histogram& times;
    prometheus::Summary& quantiles;
    prometheus::Counter& failures;
  };

  Instruments make(Operation operation) {
    const prometheus::Labels labels = {{"operation", std::string(to_string(operation))}};
    return {times.Add(labels, kBounds),
            quantiles.Add(labels,
                          prometheus::Summary::Quantiles{{0.5, 0.02}, {0.95, 0.005}, {0.99, 0.001}},
                          kWindow, 5),
            failures.Add(labels)};
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>& times = prometheus::BuildHistogram()
                                                         .Name("ipnscast_operation_seconds")
                                                         .Help("How long operations took")
                                                         .Register(registry);
  prometheus::Family<prometheus::Summary>& quantiles =
      prometheus::BuildSummary()
          .Name("ipnscast_operation_quantile_seconds")
          .Help("The same of the last ten minutes")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& failures = prometheus::BuildCounter()
                                                          .Name("ipnscast_operation_failures_total")
                                                          .Help("Operations that failed")
                                                          .Register(registry);
  std::array<Instruments, kOperations.size()> all = {
      make(Operation::resolve), make(Operation::poll), make(Operation::fetch),
      make(Operation::publish), make(Operation::block)};
  std::array<Thinning, kOperations.size()> thinned;
};

Meter::Meter() : impl_(std::make_unique<Impl>()) {}
Meter::~Meter() = default;

void Meter::note(Operation operation, const Status& outcome, Microseconds took,
                 const std::function<std::string()>& slowest, Milliseconds target) {
  if (!outcome && (outcome.error().code == Errc::cancelled || outcome.error().code == Errc::closed))
    return;
  Impl::Instruments& instruments = impl_->all[static_cast<size_t>(operation)];
  const double seconds = std::chrono::duration<double>(took).count();
  instruments.times.Observe(seconds);
  if (impl_->thinned[static_cast<size_t>(operation)].keep(std::chrono::steady_clock::now()))
    instruments.quantiles.Observe(seconds);
  if (!outcome) instruments.failures.Increment();
  if (took <= target || !slowest) return;
  log_warning("metrics", std::string(to_string(operation)) + " took " + seconds_text(took) + "; " +
                             (outcome ? slowest() : outcome.error().message));
}

Metrics Meter::snapshot() const {
  Metrics out;
  out.at = system_now().wall;
  for (size_t i = 0; i < kOperations.size(); ++i) {
    const Impl::Instruments& instruments = impl_->all[i];
    OperationMetrics& operation = out.operations[i];
    const auto times = instruments.times.Collect().histogram;
    operation.count = times.sample_count;
    operation.failures = static_cast<uint64_t>(instruments.failures.Value());
    const double target = std::chrono::duration<double>(kOperationTarget).count();
    for (const auto& bucket : times.bucket) {
      if (bucket.upper_bound == target)
        operation.slow = times.sample_count - bucket.cumulative_count;
    }
    for (const auto& quantile : instruments.quantiles.Collect().summary.quantile) {
      const auto value = Microseconds(
          std::isfinite(quantile.value) ? std::llround(quantile.value * 1'000'000) : 0);
      if (quantile.quantile == 0.5) operation.p50 = value;
      if (quantile.quantile == 0.95) operation.p95 = value;
      if (quantile.quantile == 0.99) operation.p99 = value;
    }
  }
  return out;
}

std::string Meter::prometheus_text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace ipnscast::sync
