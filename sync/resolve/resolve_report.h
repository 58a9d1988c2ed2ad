#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// Whether a record that was asked for just now is good enough.
enum class Freshness { ask, cached };

// One answer of a raced resolution.
struct ResolveReport {
  struct Source {
    std::string url;
    std::string answer;  // "record", "not found", "error: ..."
    std::optional<Sequence> sequence;
    std::string value;
    Milliseconds took{0};
    std::optional<Eol> eol{};  // of the record
    // What it has, valid now. Nothing, too, for what is known on this device.
    std::optional<IpnsRecord> record{};
    // It answered with bytes that are no record of this name, and why not. Empty otherwise.
    std::string refused{};

    // It told what it has of the name, or that it has nothing.
    bool told() const {
      return sequence.has_value() || answer == "not found" || answer == "expired record";
    }
  };
  std::optional<IpnsRecord> best;  // valid now
  // The best of those that are sound but past their end of life.
  std::optional<IpnsRecord> expired{};
  std::vector<Source> sources;
  bool cut = false;  // the deadline came before all had answered
  // No source has what was known here before: they answered lower sequences.
  bool rollback = false;
  // Another value that was signed for the sequence of `best`: its publisher contradicts itself.
  std::optional<std::string> other_value{};

  bool anybody_told() const {
    return std::any_of(sources.begin(), sources.end(), [](const Source& s) { return s.told(); });
  }
};

}  // namespace ipnscast::sync
