#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/filter_set.h"
#include "ipnscast/nostr/event/message.h"

namespace ipnscast::nostr {

// What orders the versions of one address for a subscriber, as an unverified event claims it: for
// hints their sequence. Nothing when it cannot be read; such an event is always verified. Called on
// the verification threads, several at a time.
using ClaimedSequence = std::function<std::optional<uint64_t>(const Event&)>;

// The rule by which a verification worker may leave out events of one subscription. An event is
// covered, and its signature does not matter, when another event of the same address was verified
// whose created_at is not below its own and whose sequence is above. Equal sequences cover nothing:
// two devices may have given the same number to different values, which the subscriber has to see.
//
// Covering events are those that were handed to the subscriber, told by id: what was verified but
// never arrived, as its connection was lost meanwhile, must not hide an older event that another
// relay has. Within one batch of one relay the worker goes further, see frame_batch.h.
//
// Thread-safe. Bounded: of the addresses the half that was seen first is forgotten, which only
// costs verifications.
class NewestRule {
 public:
  struct Claim {
    UnixSeconds created_at;
    uint64_t sequence = 0;
    bool covers(const Claim& other) const {
      return other.created_at <= created_at && other.sequence < sequence;
    }
  };

  // `filters` are those of the subscription: an event that they do not match covers nothing.
  NewestRule(ClaimedSequence sequence, std::shared_ptr<const FilterSet> filters,
             size_t max_addresses = 8192);
  ~NewestRule();

  // The event's address, when it has one and a filter matches: others take no part.
  std::optional<Address> address(const Event& event) const;
  std::optional<Claim> claim(const Event& event) const;

  // What the delivered event of this address claims, when its created_at is not below `from`.
  std::optional<Claim> delivered_claim(const Address& address, UnixSeconds from);

  // The signature holds and the event goes to the subscriber. Keeps a copy until something newer
  // comes: most addresses have one version, whose sequence nobody ever asks for.
  void verified(const Address& address, const Event& event);
  // The subscriber has been handed this event.
  void delivered(const Event& event);

 private:
  struct Marks;

  // constant after construction
  const ClaimedSequence sequence_;
  const std::shared_ptr<const FilterSet> filters_;
  const size_t half_;

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<Marks> marks_;
};

// The rules by the subscription id on the wire. Thread-safe.
class NewestRules {
 public:
  void set(const SubscriptionId& id, std::shared_ptr<NewestRule> rule);
  void remove(const SubscriptionId& id);
  std::shared_ptr<NewestRule> find(const SubscriptionId& id) const;
  bool empty() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<SubscriptionId, std::shared_ptr<NewestRule>> rules_;  // guarded by mutex_
};

}  // namespace ipnscast::nostr
