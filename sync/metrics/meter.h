#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/sync/metrics/metrics.h"

namespace ipnscast::sync {

// Counts and times operations. Thread-safe, and quick enough to be asked for every block.
class Meter {
 public:
  Meter();
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // `slowest` says which part of it took the time; asked when it took longer than `target`, which
  // is then logged. A cancelled operation is left out.
  void note(Operation operation, const Status& outcome, std::chrono::microseconds took,
            const std::function<std::string()>& slowest = nullptr,
            Milliseconds target = kOperationTarget);
  // Without what others count: the caches.
  Metrics snapshot() const;
  // All of it in Prometheus' text format (0.0.4).
  std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
