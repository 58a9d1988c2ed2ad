#include "ipnscast/nostr/base/clock_witness.h"

#include <algorithm>
#include <vector>

#include "ipnscast/nostr/base/http_date.h"

namespace ipnscast {

void ClockWitness::note(std::string_view endpoint, UnixSeconds server, Now received) {
  // A date is cut to its second.
  const Milliseconds offset(server.value * 1'000 + 500 - received.wall.value);
  const std::lock_guard lock(mutex_);
  if (const auto known = words_.find(endpoint); known != words_.end()) {
    known->second = {offset, received};
    return;
  }
  if (words_.size() >= kMostEndpoints)
    words_.erase(std::min_element(words_.begin(), words_.end(), [](const auto& a, const auto& b) {
      return a.second.received.steady < b.second.received.steady;
    }));
  words_.emplace(endpoint, Word{offset, received});
}

void ClockWitness::note_date(std::string_view endpoint, std::string_view date, Now received) {
  if (const auto server = parse_http_date(date)) note(endpoint, *server, received);
}

// When our clock was set, or stood still with the machine, the offset is not what it was.
bool ClockWitness::counts(const Word& word, Now now) {
  const auto age = now.steady - word.received.steady;
  if (age < Seconds(0) || age > kKept) return false;
  const Milliseconds by_wall(now.wall.value - word.received.wall.value);
  const auto apart = by_wall - std::chrono::duration_cast<Milliseconds>(age);
  return apart >= -kClocksAgree && apart <= kClocksAgree;
}

std::optional<Milliseconds> ClockWitness::offset(Now now) const {
  std::vector<Milliseconds> offsets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [endpoint, word] : words_) {
      if (counts(word, now)) offsets.push_back(word.offset);
    }
  }
  if (offsets.empty()) return std::nullopt;
  std::sort(offsets.begin(), offsets.end());
  const Milliseconds upper = offsets[offsets.size() / 2];
  const Milliseconds lower = offsets[(offsets.size() - 1) / 2];
  if (upper - lower > kServersAgree) return std::nullopt;
  return lower + (upper - lower) / 2;
}

std::optional<UnixSeconds> ClockWitness::time(Now now) const {
  const auto behind = offset(now);
  if (!behind) return std::nullopt;
  return UnixSeconds{(now.wall.value + behind->count()) / 1'000};
}

}  // namespace ipnscast
