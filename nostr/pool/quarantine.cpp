#include "ipnscast/nostr/pool/quarantine.h"

#include <algorithm>

namespace ipnscast::nostr {

bool Quarantine::holds(const RelayUrl& relay, Instant now) const {
  const auto found = relays_.find(relay);
  return found != relays_.end() && found->second.until && now < *found->second.until;
}

size_t Quarantine::counting(Instant now) const {
  return static_cast<size_t>(std::count_if(relays_.begin(), relays_.end(), [&](const auto& relay) {
    return !relay.second.until || *relay.second.until <= now;
  }));
}

bool Quarantine::kept(const RelayUrl& relay, Instant now) {
  const bool held = holds(relay, now);
  Standing& standing = relays_[relay];
  if (standing.losses > 0) --standing.losses;
  if (standing.losses > 0) return false;
  standing.until.reset();
  standing.next = Milliseconds(0);
  return held;
}

bool Quarantine::lost(const RelayUrl& relay, Instant now) {
  const bool held = holds(relay, now);
  Standing& standing = relays_[relay];
  standing.losses = std::min(standing.losses + 1, options_.losses);
  if (held || standing.losses < options_.losses) return false;
  if (counting(now) <= std::min(options_.floor, relays_.size())) return false;
  standing.next = std::clamp(standing.next * 2, options_.first, options_.last);
  standing.until = now + standing.next;
  return true;
}

RelayStanding Quarantine::standing(const RelayUrl& relay, Instant now) const {
  const auto found = relays_.find(relay);
  if (found == relays_.end()) return {};
  const Standing& known = found->second;
  RelayStanding out{known.losses, known.next, Milliseconds(0)};
  if (known.until && now < *known.until)
    out.left = std::chrono::duration_cast<Milliseconds>(*known.until - now);
  return out;
}

void Quarantine::restore(const RelayUrl& relay, const RelayStanding& standing, Instant now) {
  const auto found = relays_.find(relay);
  if (found == relays_.end()) return;
  found->second.losses = std::min(standing.losses, options_.losses);
  found->second.next = std::clamp(standing.next, Milliseconds(0), options_.last);
  if (standing.left <= Milliseconds(0)) return;
  if (counting(now) <= std::min(options_.floor, relays_.size())) return;
  found->second.until = now + std::min(standing.left, options_.last);
}

}  // namespace ipnscast::nostr
