#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync::gateway {

// How fast one gateway answered its last calls. Pure; one thread at a time.
class Latency {
 public:
  void note(Milliseconds took) { samples_[count_++ % kKept] = took; }
  bool empty() const { return count_ == 0; }
  Milliseconds median() const { return quantile(50); }
  Milliseconds p95() const { return quantile(95); }
  // The oldest first.
  std::vector<Milliseconds> samples() const {
    std::vector<Milliseconds> out;
    for (size_t i = count_ - std::min(count_, kKept); i < count_; ++i)
      out.push_back(samples_[i % kKept]);
    return out;
  }

 private:
  static constexpr size_t kKept = 32;

  Milliseconds quantile(int percent) const {
    const size_t size = std::min(count_, kKept);
    if (size == 0) return Milliseconds(0);
    std::array<Milliseconds, kKept> sorted = samples_;
    const size_t rank = (size - 1) * static_cast<size_t>(percent) / 100;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(rank),
                     sorted.begin() + static_cast<ptrdiff_t>(size));
    return sorted[rank];
  }

  std::array<Milliseconds, kKept> samples_{};
  size_t count_ = 0;  // ever noted
};

}  // namespace ipnscast::sync::gateway
