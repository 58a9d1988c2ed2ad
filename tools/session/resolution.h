#pragma once

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// What is left of --timeout for all that a command does.
class TimeLimit {
 public:
  explicit TimeLimit(const Context& context)
      : end_(context.timeout ? std::optional(std::chrono::steady_clock::now() + *context.timeout)
                             : std::nullopt) {}
  // For the next step, at least 1 ms; `most` when no limit was given.
  Milliseconds left(Milliseconds most) const;
  const std::optional<Instant>& end() const { return end_; }

 private:
  const std::optional<Instant> end_;
};

// How long names are looked for: tier 3 is waited for only when nobody else has a record.
Milliseconds listen_time(const sync::Config& config);

// The record that counts: an expired one only for those who keep the last good one.
std::optional<sync::IpnsRecord> record_of(const sync::ResolveReport& found,
                                          sync::ExpiredPolicy policy);
// Why there is none: timeout, expired, not_found, unreachable.
Error nothing_found(const sync::IpnsName& name, const sync::ResolveReport& found,
                    sync::ExpiredPolicy policy);
// Warns of sources that fell back, of a publisher that contradicts itself, and of an end of life
// that has passed.
void warn_of(const sync::IpnsName& name, const sync::ResolveReport& found,
             sync::ExpiredPolicy policy);

}  // namespace ipnscast::tools
