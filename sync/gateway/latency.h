#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync::gateway {

// How fast one gateway answered its last calls. Pure; one thread at a time.
class Latency {
 public:
  void note(Milliseconds took);
  bool empty() const { return count_ == 0; }
  Milliseconds median() const { return quantile(50); }
  Milliseconds p95() const { return quantile(95); }
  std::vector<Milliseconds> samples() const;  // the oldest first

 private:
  static constexpr size_t kKept = 32;
  Milliseconds quantile(int percent) const;

  std::array<Milliseconds, kKept> samples_{};
  size_t count_ = 0;  // ever noted
};

}  // namespace ipnscast::sync::gateway
