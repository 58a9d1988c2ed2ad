#include "ipnscast/nostr/pool/outage_watch.h"

namespace ipnscast::nostr {

bool OutageWatch::opened(uint64_t relay) {
  connected_.insert(relay);
  lost_.clear();
  const bool over = offline_;
  offline_ = false;
  return over;
}

void OutageWatch::closed(uint64_t relay, Now now) {
  if (connected_.erase(relay) == 0) return;  // a failed try
  lost_.erase(lost_.begin(), lost_.lower_bound(now.steady - options_.window));
  lost_.emplace(now.steady, relay);
  // More went than stayed.
  if (lost_.size() >= options_.least && lost_.size() > connected_.size()) offline_ = true;
}

}  // namespace ipnscast::nostr
