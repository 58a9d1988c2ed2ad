#include "ipnscast/sync/gateway/breaker.h"

#include <algorithm>

namespace ipnscast::sync::gateway {

bool Breaker::admit(Instant now) {
  if (open(now)) return false;
  if (failures_ < options_.failures) return true;
  if (trial_) return false;
  trial_ = true;
  return true;
}

void Breaker::succeeded() {
  failures_ = 0;
  trial_ = false;
}

void Breaker::failed(Instant now) {
  trial_ = false;
  if (++failures_ >= options_.failures)
    closed_until_ = std::max(closed_until_, now + options_.open);
}

void Breaker::trip(Instant now, Milliseconds open) {
  trial_ = false;
  failures_ = options_.failures;
  closed_until_ = std::max(closed_until_, now + open);
}

}  // namespace ipnscast::sync::gateway
