#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// What is counted and timed.
enum class Operation {
  resolve,  // a race, until its first record
  poll,     // one background look-up
  fetch,    // a DAG, or a part of it
  publish,  // packing, sending, signing, announcing
  block,    // one block out of the block cache
};
inline constexpr std::array kOperations = {Operation::resolve, Operation::poll, Operation::fetch,
                                           Operation::publish, Operation::block};
std::string_view to_string(Operation operation);

// What an operation should take at most; a change should be there, resolved and fetched, within it
// (S1-01, S1-21).
inline constexpr Milliseconds kOperationTarget{2'000};

// After which it is worth a word: so many bytes take their time, at 1 MiB/s.
inline Milliseconds target_for(uint64_t bytes) {
  return kOperationTarget + Milliseconds(static_cast<int64_t>(bytes >> 20) * 1'000);
}

// Since the client was opened; the quantiles of the last ten minutes.
struct OperationMetrics {
  uint64_t count = 0;  // that ended, well or not; cancelled ones are left out
  uint64_t failures = 0;
  uint64_t slow = 0;  // took longer than kOperationTarget
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p95{0};
  std::chrono::microseconds p99{0};
};

struct CacheMetrics {
  uint64_t hits = 0;
  uint64_t misses = 0;
};

// A place that news comes from or is looked for at.
struct SourceState {
  std::string kind;  // "relay", "gateway", ...
  std::string url;
  bool up = false;  // it is connected; or nothing says that it does not answer
  bool operator==(const SourceState&) const = default;
};

struct Metrics {
  UnixMillis at;  // when this was true
  std::vector<SourceState> sources;
  std::array<OperationMetrics, kOperations.size()> operations;
  CacheMetrics records;
  CacheMetrics blocks;

  const OperationMetrics& of(Operation operation) const {
    return operations[static_cast<size_t>(operation)];
  }
  // There is something that meets_target() can tell: of the last ten minutes.
  bool measured() const {
    return of(Operation::resolve).p95.count() + of(Operation::fetch).p95.count() > 0;
  }
  // 95 of 100 resolutions and fetches take no longer than the target.
  bool meets_target() const {
    return of(Operation::resolve).p95 + of(Operation::fetch).p95 <= kOperationTarget;
  }

  std::string to_json() const;
  // Errc::parse.
  static Result<Metrics> from_json(std::string_view text);
};

}  // namespace ipnscast::sync
