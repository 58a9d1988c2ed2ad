#include "ipnscast/sync/publish/progress.h"

#include <algorithm>

#include "ipnscast/nostr/outbox/outbox.h"

namespace ipnscast::sync {

void Publisher::Progress::hold() {
  std::lock_guard lock(mutex_);
  ++expected_;
}

void Publisher::Progress::expect_record(std::vector<Outcome::Place> takers) {
  std::lock_guard lock(mutex_);
  ++expected_;
  for (Outcome::Place& place : takers) {
    place.what = Outcome::Place::What::record;
    place.detail = "not yet, goes on";
    pending_.insert_or_assign(place.url, std::move(place));
  }
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
  {
    std::lock_guard lock(mutex_);
    pending_.erase(place.url);
    places_.push_back(std::move(place));
  }
  changed_.notify_all();
}

void Publisher::Progress::record_everywhere() {
  {
    std::lock_guard lock(mutex_);
    pending_.clear();
  }
  reported();
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
    const auto waited =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
    for (const auto& [url, outcome] : report.relays) {
      auto& known = hints_.relays[url];
      if (known.stored()) continue;
      known = outcome;
      // One that was not reached has no time of its own: the others waited for it.
      if (!known.stored()) known.took = std::max(known.took, waited);
    }
  }
  reported();
}

void Publisher::Progress::wait(Instant deadline, const nostr::Quorum& quorum, Outcome& outcome,
                               const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return expected_ == 0 || stop.stop_requested(); });
  outcome.places.insert(outcome.places.end(), places_.begin(), places_.end());
  for (auto [url, place] : pending_) {
    place.took =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
    outcome.places.push_back(std::move(place));
  }
  const auto waited =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
  for (const auto& [url, at_relay] : hints_.relays) {
    const bool silent = !at_relay.stored() && at_relay.took.count() == 0;
    Outcome::Place place{Outcome::Place::Kind::relay, url.text(), at_relay.stored(),
                         std::string(to_string(at_relay.state)), silent ? waited : at_relay.took};
    if (!at_relay.reason.empty()) place.detail += ": " + at_relay.reason;
    place.settled = !place.ok && nostr::outbox_settles(at_relay);
    if (place.ok) ++outcome.relays_acknowledged;
    outcome.places.push_back(std::move(place));
  }
  // Without relays, one place that keeps the record is what can be asked for.
  const bool kept = std::any_of(places_.begin(), places_.end(), [](const auto& p) { return p.ok; });
  const bool nothing_to_do = places_.empty() && pending_.empty() && expected_ == 0;
  outcome.quorum_met = hints_.relays.empty() ? kept || nothing_to_do : quorum.reached(hints_);
  const bool refused =
      std::any_of(places_.begin(), places_.end(), [](const auto& p) { return p.refused; });
  if (refused && !kept) outcome.quorum_met = false;
}

}  // namespace ipnscast::sync
