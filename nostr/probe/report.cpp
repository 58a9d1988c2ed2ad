#include "ipnscast/nostr/probe/report.h"

#include <algorithm>

namespace ipnscast::nostr::probe {

std::string_view to_string(Access access) {
  switch (access) {
    case Access::unknown:
      return "unknown";
    case Access::yes:
      return "yes";
    case Access::with_auth:
      return "with-auth";
    case Access::no:
      return "no";
  }
  return "unknown";
}

std::string_view to_string(TieBreak tie_break) {
  switch (tie_break) {
    case TieBreak::unknown:
      return "unknown";
    case TieBreak::lowest:
      return "lowest-id";
    case TieBreak::highest:
      return "highest-id";
    case TieBreak::first:
      return "first-come";
    case TieBreak::last:
      return "last-come";
  }
  return "unknown";
}

std::string_view to_string(Negentropy negentropy) {
  switch (negentropy) {
    case Negentropy::unknown:
      return "unknown";
    case Negentropy::works:
      return "works";
    case Negentropy::wrong:
      return "wrong";
    case Negentropy::refuses:
      return "refuses";
    case Negentropy::silent:
      return "silent";
  }
  return "unknown";
}

std::optional<Took> Latencies::percentile(unsigned percent) const {
  if (samples.empty()) return std::nullopt;
  std::vector<Took> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const size_t rank = (sorted.size() * percent + 99) / 100;  // nearest rank
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace ipnscast::nostr::probe
