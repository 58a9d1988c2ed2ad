#include "ipnscast/sync/gateway/latency.h"

#include <algorithm>

namespace ipnscast::sync::gateway {

void Latency::note(Milliseconds took) { samples_[count_++ % kKept] = took; }

std::vector<Milliseconds> Latency::samples() const {
  std::vector<Milliseconds> out;
  for (size_t i = count_ - std::min(count_, kKept); i < count_; ++i)
    out.push_back(samples_[i % kKept]);
  return out;
}

Milliseconds Latency::quantile(int percent) const {
  const size_t size = std::min(count_, kKept);
  if (size == 0) return Milliseconds(0);
  std::array<Milliseconds, kKept> sorted = samples_;
  const size_t rank = (size - 1) * static_cast<size_t>(percent) / 100;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(rank),
                   sorted.begin() + static_cast<ptrdiff_t>(size));
  return sorted[rank];
}

}  // namespace ipnscast::sync::gateway
