#pragma once

#include <optional>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// What is left of --timeout for all that a command does, its start included.
class TimeLimit {
 public:
  explicit TimeLimit(const Context& context)
      : end_(context.timeout ? std::optional(context.started + *context.timeout) : std::nullopt) {}
  // For the next step, at least 1 ms; `most` when no limit was given.
  Milliseconds left(Milliseconds most) const;
  // The same; nothing when no limit was given.
  std::optional<Milliseconds> left() const;
  const std::optional<Instant>& end() const { return end_; }

 private:
  std::optional<Instant> end_;
};

}  // namespace ipnscast::tools
