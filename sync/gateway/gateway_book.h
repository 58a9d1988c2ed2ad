#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/gateway/breaker.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/gateway/gateway.h"
#include "ipnscast/sync/gateway/latency.h"
#include "ipnscast/sync/gateway/score.h"

namespace ipnscast::sync::gateway {

// What a URL speaks. Several at once are usual.
struct Dialects {
  bool trustless = false;
  bool routing = false;
  bool rpc = false;
  bool path = false;  // plain files under /ipfs/
  // Whether it heeds preconditions when records are put (sync/decider). Nothing: not told.
  std::optional<bool> preconditions{};
  bool any() const { return trustless || routing || rpc || path; }
  bool operator==(const Dialects&) const = default;
};

// The configured gateways and what we learned about each: what it speaks, how fast and how honest
// it is, whether to leave it alone. Gateways are numbered as given. Thread-safe; shared by the
// resolver, the fetchers and the senders.
class GatewayBook {
 public:
  struct Entry {
    Endpoint endpoint;
    int tier = 1;  // 1 own nodes, 2 public, 3 slow
    Uses uses{};
  };

  explicit GatewayBook(std::vector<Entry> entries, BreakerOptions options = {});

  size_t size() const { return entries_.size(); }
  const Endpoint& endpoint(size_t gateway) const { return entries_[gateway].endpoint; }
  int tier(size_t gateway) const { return entries_[gateway].tier; }
  const Uses& uses(size_t gateway) const { return entries_[gateway].uses; }

  // Nothing while it is not known, which is to be read as "perhaps all".
  std::optional<Dialects> dialects(size_t gateway) const;
  void set_dialects(size_t gateway, Dialects dialects);
  // What was learned of that last, whether the gateway answers now or not.
  std::optional<bool> offers_preconditions(size_t gateway) const;

  // Whether it may be asked now: see Breaker::admit(). Gateways of one host share a Retry-After.
  bool admit(size_t gateway, Instant now);
  bool left_alone(size_t gateway, Instant now) const;
  // When it may be asked again, if a Retry-After of its host is all that stands in the way.
  std::optional<Instant> asked_back_at(size_t gateway, Instant now) const;
  // The outcome of a call. A gateway that starts to be left alone is probed anew later.
  void report(size_t gateway, const Status& outcome, Instant now, Seconds retry_after = Seconds(0));
  // It sent bytes that are not what they claim to be (R20): left alone at once, each further lie
  // for twice as long, an hour at most; and last in by_latency() for weeks.
  void report_lie(size_t gateway, Instant now);
  void note_latency(size_t gateway, Milliseconds took);
  // How long opening a connection took (one round trip, and a name look-up perhaps). Zero, for a
  // connection that was open already, tells nothing.
  void note_connected(size_t gateway, Milliseconds took);

  // Tiers 1, 2, 3 in a row. Within each: those that answered, the fastest first, where failures of
  // the last days count as time; those of which nothing was heard yet; those whose last call
  // failed. Those that lied come behind all tiers.
  std::vector<size_t> by_latency() const;
  // How long to wait for it before asking the next one beside it: its p95. While there is none,
  // twice the p95 of the fastest that has one, at most `unknown`.
  Milliseconds hedge_delay(size_t gateway, Milliseconds unknown) const;
  // How long it may be quiet in the middle of an answer that began so long after the request.
  Milliseconds pause_limit(size_t gateway, Milliseconds first_byte) const;

  // What to know of each gateway in the next run, and what the last one knew: latencies of a week
  // ago tell nothing any more.
  std::vector<GatewayMemory> memories(Now now) const;
  void restore(const std::vector<GatewayMemory>& memories, Now now);
  // `keep` is called when something was learned: at once after a lie, else at most once in `every`.
  // On the reporting thread, outside of our lock. To be set before the book is shared.
  void keep_with(std::function<void()> keep, Milliseconds every);

 private:
  struct Learned {
    std::optional<Dialects> dialects;
    std::optional<bool> preconditions;
    Breaker breaker;
    Latency latency;
    Score score;
    Milliseconds connected{0};  // the least; zero: not known
    std::string host;
  };

  void report_locked(Learned& learned, const Status& outcome, Instant now, Seconds retry_after);
  bool keep_due(bool at_once, Instant now);

  // constant after construction
  std::vector<Entry> entries_;

  // constant once shared
  std::function<void()> keep_;
  Milliseconds keep_every_{0};

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::vector<Learned> learned_;
  std::map<std::string, Instant> hosts_closed_until_;
  Instant last_seen_{};  // the latest time that was reported
  Instant kept_{};
};

// The gateways of a configuration, as a book has them. Errors of parse_endpoint().
Result<std::vector<GatewayBook::Entry>> book_entries(const std::vector<Gateway>& gateways);

}  // namespace ipnscast::sync::gateway
