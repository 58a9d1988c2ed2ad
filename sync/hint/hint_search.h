#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ipnscast/nostr/pool/pool.h"

namespace ipnscast::sync {

// Asks every relay of a pool once for what it has stored: NIP-01, until EOSE. One thread; the pool
// outlives it. Relays are asked as soon as this is made.
class HintSearch {
 public:
  HintSearch(nostr::Pool& pool, std::vector<nostr::Filter> filters);
  ~HintSearch();
  HintSearch(const HintSearch&) = delete;
  HintSearch& operator=(const HintSearch&) = delete;

  // Hands over each verified event as it comes, on this thread, until all relays have sent what
  // they have or failed, or the time is up. How many sent all they have.
  size_t wait(Instant end, const std::function<void(const nostr::Event&)>& on_event);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
