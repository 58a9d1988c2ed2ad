#include "sync/publish_progress.h"

#include <algorithm>

namespace ipnscast::sync {

void Publisher::Progress::expect(size_t reports) {
  std::lock_guard lock(mutex_);
  expected_ += reports;
}

void Publisher::Progress::expect_hints(size_t reports, const std::vector<nostr::RelayUrl>& relays) {
  std::lock_guard lock(mutex_);
  expected_ += reports;
  nostr::RelayOutcome first;
  if (reports == 0) {
    first.state = nostr::PublishState::unreachable;
    first.reason = "there is no Nostr key to sign a hint with";
  }
  for (const nostr::RelayUrl& url : relays) hints_.relays.try_emplace(url, first);
}

void Publisher::Progress::place(Outcome::Place place) {
  std::lock_guard lock(mutex_);
  places_.push_back(std::move(place));
}

void Publisher::Progress::reported() {
  {
    std::lock_guard lock(mutex_);
    --expected_;
  }
  changed_.notify_all();
}

void Publisher::Progress::hint_reported(const nostr::PublishReport& report) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [url, outcome] : report.relays) {
      auto& known = hints_.relays[url];
      if (!known.stored()) known = outcome;
    }
  }
  reported();
}

void Publisher::Progress::wait(Instant deadline, const nostr::Quorum& quorum, Outcome& outcome) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return expected_ == 0; });
  outcome.places.insert(outcome.places.end(), places_.begin(), places_.end());
  for (const auto& [url, at_relay] : hints_.relays) {
    std::string detail(to_string(at_relay.state));
    if (!at_relay.reason.empty()) detail += ": " + at_relay.reason;
    outcome.places.push_back({Outcome::Place::Kind::relay, url.text(), at_relay.stored(),
                              std::move(detail), at_relay.took});
    if (at_relay.stored()) ++outcome.relays_acknowledged;
  }
  // Without relays, one place that keeps the record is what can be asked for.
  const bool kept = std::any_of(places_.begin(), places_.end(), [](const auto& p) { return p.ok; });
  outcome.quorum_met =
      hints_.relays.empty() ? kept || (expected_ == 0 && places_.empty()) : quorum.reached(hints_);
}

}  // namespace ipnscast::sync
