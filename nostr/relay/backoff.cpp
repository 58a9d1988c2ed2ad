#include "ipnscast/nostr/relay/backoff.h"

#include <algorithm>

namespace ipnscast::nostr {

Milliseconds Backoff::failed(Instant now, Rng& rng, Milliseconds at_least) {
  if (success_since_ && now - *success_since_ >= options_.stable) ceiling_ = options_.first;
  success_since_.reset();
  const int64_t least = std::min(options_.first, ceiling_).count() / 2;
  std::uniform_int_distribution<int64_t> draw(least + 1, ceiling_.count());
  const Milliseconds wait(draw(rng));
  ceiling_ = std::min(ceiling_ * 2, options_.last);
  return std::max(wait, at_least);
}

}  // namespace ipnscast::nostr
