#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/change/version.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// What became of a publish, place by place.
struct Outcome {
  struct Place {
    enum class Kind { node, router, relay };
    // What was to be brought there.
    enum class What { content, record, hint };
    Kind kind = Kind::relay;
    std::string url;
    bool ok = false;
    std::string detail;  // "acknowledged", "duplicate", "refused: ...", "no answer", ...
    Milliseconds took{0};
    // It keeps another record, which was verified: a newer one, or one of the same sequence with
    // another value.
    bool newer = false;
    Sequence newer_sequence{};
    Bytes newer_record{};
    What what = What::hint;
    bool refused = false;  // it looked at the record, and does not take one that is as this one
    bool settled =
        false;  // not ok, and not tried again: refused for good, or it has something newer
  };
  IpnsName name;
  Cid cid;
  Sequence sequence;
  Bytes record;
  std::optional<nostr::EventId> hint;  // none: there is no relay, or no key to sign with
  std::vector<Place> places;
  // The relays acknowledged, or a place has the record where there are none. Never when a place
  // refused the record and none has it: who asks there finds nothing.
  bool quorum_met = false;
  bool queued = false;  // no node has the content yet, see PublishOptions::queue
  // It cannot vanish unnoticed any more: the place that decides has it, or all places show it.
  // Otherwise what becomes of it is seen by a later run or told by ChangeKind::lost.
  bool settled = false;
  bool undecided = false;  // no single place decides about this name
  size_t relays_acknowledged = 0;
  std::chrono::microseconds packed{0};  // how long packing the path took
  uint64_t bytes = 0;                   // of content that was packed, or sent to one node
  uint64_t hidden_left_out = 0;         // see PublishOptions::hidden

  // False: some place is still without it. What is owed there is committed, and goes on as long as
  // a client is open on this state directory.
  bool complete() const;
};

// How far the content is on its way to one node.
struct PublishProgress {
  std::string node;    // its URL
  uint64_t bytes = 0;  // that it has; of what it lacked when we began
  uint64_t total = 0;
  bool interrupted = false;  // it went away in the middle and is waited for
};

struct PublishOptions {
  std::optional<Sequence> expect_sequence;  // compare-and-set: what the name is known to have now
  // What the edit was made on. An application that edits should say so. Nothing: what this device
  // has taken in last: by publishing, by a handler that returned success, by Client::take_in().
  std::optional<Version> based_on{};
  bool replace = false;      // over whatever is there
  bool force = false;        // publish an empty state over a richer one, though nobody answers
  bool trust_clock = false;  // although servers or our own hints say that it is wrong
  // Wait until it is certain what became of it, or until Config::publish_settle has passed: never,
  // when another device may write the name too, or always. based_on and expect_sequence wait.
  enum class Settle { no, when_shared, yes };
  Settle settle = Settle::no;
  // When no node takes the content now, the publish is committed all the same, provided that this
  // device knows the name's sequence (or `force`): content, record and hint go on from the outbox
  // as long as a client is open on this state directory. Until then readers cannot fetch it.
  bool queue = false;
  // Publish names that start with a dot too, below the path itself. Without it they are left out:
  // they are seldom meant for others.
  bool hidden = false;
  // Whoever publishes is not who follows names at this client: the handlers of this name get what
  // is published as a change.
  bool for_followers = false;
  // How long to wait in all. What no node has by then is not published: Errc::timeout. Nothing:
  // packing takes as long as it takes, sending goes on as long as bytes move, and the rest has
  // Config::publish_timeout.
  std::optional<Instant> deadline{};
  // Runs on the caller's thread while the path is packed: so many bytes are. Must not block.
  std::function<void(uint64_t bytes)> on_packing{};
  // Runs on a content thread, after each few megabytes at a node; must not block. Not after
  // publish() has returned.
  std::function<void(const PublishProgress&)> on_progress{};
  // Asked to stop, it ends with Errc::cancelled, unless it is committed: what remains goes on from
  // the outbox then.
  std::stop_token stop{};
};

}  // namespace ipnscast::sync
