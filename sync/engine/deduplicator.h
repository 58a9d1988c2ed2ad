#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "ipnscast/sync/change/change.h"

namespace ipnscast::sync {

// The one gate that news from all sources passes: what was already seen of a name is dropped and
// counted by the source that repeated it (S0-54, S0-56). A value that comes back under a higher
// sequence is news (R13). One thread.
class Deduplicator {
 public:
  // How much stands behind a sighting; a stronger one of the same thing is news.
  enum class Strength { stranger, trusted, record };

  struct Sighting {
    std::optional<Sequence> sequence;  // nothing: unknown
    std::string value;                 // identity is these bytes
    Strength strength = Strength::stranger;
    Eol eol;  // of the record, when there is one: a later EOL is news
  };

  explicit Deduplicator(size_t max_names = 1'000'000) : max_names_(max_names) {}

  // True when it is news. False and counted when the same was seen with at least this strength and
  // not forgotten since.
  bool admit(const IpnsName& name, const Sighting& sighting, SourceKind source);

  // What was seen of the name counts no more where it did not lead to a confirmed value: so that
  // the same hint may try again. Called when a resolution or a fetch failed.
  void failed(const IpnsName& name);
  void forget(const IpnsName& name) { names_.erase(name); }

  uint64_t duplicates(SourceKind source) const;
  size_t size() const { return names_.size(); }

 private:
  static constexpr size_t kPerName = 8;

  // constant after construction
  const size_t max_names_;

  std::unordered_map<IpnsName, std::deque<Sighting>> names_;
  std::map<SourceKind, uint64_t> duplicates_;
};

}  // namespace ipnscast::sync
