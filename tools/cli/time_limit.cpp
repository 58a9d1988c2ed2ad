#include "ipnscast/tools/cli/time_limit.h"

#include <algorithm>

namespace ipnscast::tools {

Milliseconds TimeLimit::left(Milliseconds most) const { return left().value_or(most); }

std::optional<Milliseconds> TimeLimit::left() const {
  if (!end_) return std::nullopt;
  const auto rest = *end_ - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<Milliseconds>(rest), Milliseconds(1));
}

}  // namespace ipnscast::tools
