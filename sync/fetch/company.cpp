// Who is quiet for too long gets company: how a fetch hedges.
#include <algorithm>

#include "ipnscast/sync/fetch/job.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxAtOnce = 5;  // requests for the same thing
constexpr Milliseconds kJoinAgain{100};

}  // namespace

// When all that bring it will have been quiet for too long. Nothing when nobody could join them.
std::optional<Instant> FetchJob::quiet_at(const Active& active) const {
  if (active.transfers.empty()) return std::nullopt;
  if (active.shared && active.left.empty()) return std::nullopt;
  Instant latest = active.company_not_before;
  for (const uint64_t number : active.transfers) {
    const Running& running = running_.at(number);
    latest = std::max(latest, running.last_byte + running.patience);
  }
  return latest;
}

void FetchJob::check_quiet(Instant now) {
  for (auto& [owner, active] : active_) {
    const auto quiet = quiet_at(active);
    if (quiet && now >= *quiet) join(active, now);
  }
}

// Whoever is quiet gets company: one more while nothing has come. A stream that was interrupted is
// asked for again from all others, or when it has brought much, what is missing is handed out.
void FetchJob::join(Active& active, Instant now) {
  uint64_t received = 0;
  bool interrupted = false;
  for (const uint64_t number : active.transfers) {
    const Running& running = running_.at(number);
    received = std::max(received, running.received);
    if (!running.talking) continue;
    interrupted = true;
    if (paused_.insert_or_assign(running.candidate.gateway, now).second)
      ++demerits_[running.candidate.gateway];
  }
  active.company_not_before = now + kJoinAgain;
  const size_t most = interrupted ? kMaxAtOnce : active.transfers.size() + 1;
  bool joined = false;
  while (received < kYoungStream && active.transfers.size() < std::min(most, kMaxAtOnce) &&
         ask_another(active)) {
    joined = true;
  }
  if (joined) return;
  if (interrupted && another_to_ask(now)) {
    active.left.clear();
    active.shared = true;
    plan_.share(active.task);
  }
}

// Somebody who has not gone quiet lately.
bool FetchJob::another_to_ask(Instant now) const {
  const auto all = candidates();
  return std::any_of(all.begin(), all.end(), [&](const Candidate& candidate) {
    const auto paused = paused_.find(candidate.gateway);
    return (paused == paused_.end() || now >= paused->second + options_.stall) &&
           !book_.left_alone(candidate.gateway, now);
  });
}

Instant FetchJob::next_wake() const {
  Instant next = std::min(started_ + options_.deadline, last_block_ + options_.idle);
  for (const auto& [owner, active] : active_) {
    if (const auto quiet = quiet_at(active)) next = std::min(next, *quiet);
  }
  if (asleep_until_) next = std::min(next, *asleep_until_);
  return next;
}

}  // namespace ipnscast::sync
