#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/relay/backoff.h"

namespace ipnscast::sync {

// One node's pubsub, as far as we listen to it: whether the node offers it, and how far each topic
// is. A topic is joined, subscribed to, and, as soon as that holds, asked about once, so that what
// was said while nobody listened is not missed. When a subscription ends, the node is asked again
// whether it offers pubsub at all before anything is tried anew. Pure: takes time and outcomes,
// gives steps. Topics have numbers; what is said of one that is
// not there is ignored. One thread.
class NodeTopics {
 public:
  struct Options {
    size_t parallel = 16;  // topics that are on their way to being listened to
    // A subscription that did not fail for so long holds: the node says nothing before the first
    // message.
    Milliseconds settle{1'000};
    Milliseconds ask_again{3'600'000};  // a node without pubsub; at least half of this
    nostr::Backoff::Options backoff{};  // of the node and of each topic, with full jitter
  };
  // Each is followed by one call that tells its outcome; subscribe by ended(), some day.
  struct Step {
    enum class What { probe, join, subscribe, catch_up };
    What what = What::probe;
    size_t topic = 0;  // not of probe
    bool operator==(const Step&) const = default;
  };

  NodeTopics(Options options, Rng rng);

  // A number that was not used before.
  void add(size_t topic);
  // Its subscription is no more, or ends without a word.
  void remove(size_t topic);

  // What is to be done now; under way from here on.
  std::vector<Step> due(Instant now);
  // When due() will have something, unless an outcome comes before. Nothing: not before.
  std::optional<Instant> next() const;

  // Success: it offers pubsub. Errc::refused and Errc::unsupported: it does not. All else: it could
  // not be asked.
  void probed(const Status& outcome, Instant now);
  // Whatever came of it.
  void joined(size_t topic);
  // Something came on the subscription.
  void spoke(size_t topic, Instant now);
  // The node answered what it knows, or that it knows nothing.
  void caught_up(size_t topic, Instant now);
  // The subscription is no more.
  void ended(size_t topic, Instant now);

  // Topics that are listened to.
  size_t live() const;

 private:
  enum class State { waiting, joining, joined, settling, catching_up, live };
  struct Topic {
    State state = State::waiting;
    Instant at{};  // of waiting and settling: when to go on
    nostr::Backoff backoff;
  };
  enum class Offer { unknown, yes, no };

  static bool on_its_way(State state) { return state != State::waiting && state != State::live; }
  std::optional<Step> step_of(size_t number, Topic& topic, Instant now);
  Topic* find(size_t number);

  // constant after construction
  const Options options_;

  Rng rng_;
  std::map<size_t, Topic> topics_;
  size_t on_their_way_ = 0;
  Offer offer_ = Offer::unknown;
  bool probing_ = false;
  Instant probe_at_{};  // unless it offers pubsub
  nostr::Backoff backoff_;
};

}  // namespace ipnscast::sync
