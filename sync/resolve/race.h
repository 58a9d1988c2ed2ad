#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// How a record ranks among verified ones of the same name: the rule of better(), as a value.
struct Standing {
  Sequence sequence;
  Eol eol;
  Bytes data;  // the signed bytes
  bool operator==(const Standing&) const = default;
  std::strong_ordering operator<=>(const Standing& other) const {
    if (const auto by_sequence = sequence <=> other.sequence; by_sequence != 0) return by_sequence;
    if (const auto by_eol = eol <=> other.eol; by_eol != 0) return by_eol;
    return compare_bytes(data, other.data);
  }
};

struct RaceOptions {
  std::optional<Sequence>
      floor;  // the first record that reaches it wins; without one the best after `settle`
  bool first_contact =
      false;  // nothing is known of the name: tiers 1 and 2 at once, best of all at answer_by
  Milliseconds answer_by{2'000};     // a result or "not yet" by then
  Milliseconds listen{5'000};        // tiers 1 and 2 are listened to until then
  Milliseconds slow_listen{60'000};  // tier 3 is
  // When there is no floor, a result is handed over so much after the first record came. A tenth of
  // it is for reading, verifying and waking up, the rest for others to be better.
  Milliseconds settle{150};
  Milliseconds hedge{
      300};  // tier 2 is asked so much later, sooner when tier 1 had nothing acceptable
};

// What a race wants done. Sources are numbered as given.
struct Ask {
  size_t source;
};
struct Stop {  // the answer of this source is not waited for any longer
  size_t source;
};
struct RaceResult {
  size_t source;      // whose record is best
  bool late = false;  // after an earlier result or "not yet"
};
struct NotYet {
  std::optional<size_t> best;  // the best so far, below the floor
};
struct RaceFinished {  // comes once and last
  std::optional<size_t> best;
};
using RaceAction = std::variant<Ask, Stop, RaceResult, NotYet, RaceFinished>;

// The race with a floor: every source is asked, tier by tier, and the first record that is good
// enough is the result; better ones are late improvements. No single source's "not found" decides.
// Pure: takes answers and time, gives actions. One thread at a time.
//
//   tier 1 at once; tier 2 after the hedge delay or when all of tier 1 answered without an
//   acceptable record; tier 3 beside them, never waited for
class Race {
 public:
  // tiers[i] is source i's: 1 own nodes, 2 public ones, 3 the slow path.
  Race(const std::vector<int>& tiers, RaceOptions options, Instant start);

  std::vector<RaceAction> begin();
  // A verified record, or nothing: "not found", a failure, an expired or forged record. Ignored
  // from a source that is not being asked.
  std::vector<RaceAction> answer(size_t source, std::optional<Standing> record, Instant now);
  std::vector<RaceAction> tick(Instant now);
  // When to call tick() next; nothing once finished.
  std::optional<Instant> next_tick() const;
  bool finished() const { return finished_; }

 private:
  enum class State { waiting, asked, done };
  struct Source {
    int tier;
    State state = State::waiting;
  };

  bool acceptable() const;
  Instant settled_at() const;
  bool all_done(int first_tier, int last_tier) const;
  bool fast_pending() const;
  void ask_tier(int tier, std::vector<RaceAction>& out);
  void stop_tiers(int first_tier, int last_tier, std::vector<RaceAction>& out);
  void advance(Instant now, std::vector<RaceAction>& out);
  void deliver(bool late, std::vector<RaceAction>& out);

  // constant after construction
  const RaceOptions options_;
  const Instant start_;

  std::vector<Source> sources_;
  std::optional<Standing> best_;
  size_t best_source_ = 0;
  std::optional<Instant> first_record_;
  bool second_tier_asked_ = false;
  bool listening_ended_ = false;  // for tiers 1 and 2
  bool delivered_ = false;        // a result was given
  bool improved_ = false;         // best_ is better than what was given
  bool said_not_yet_ = false;
  bool finished_ = false;
};

}  // namespace ipnscast::sync
