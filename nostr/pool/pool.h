#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/pool/quarantine.h"
#include "ipnscast/nostr/relay/publish_outcome.h"
#include "ipnscast/nostr/relay/relay.h"
#include "ipnscast/nostr/verify/newest_rule.h"

namespace ipnscast::nostr {

// Start here. A Pool holds one connection to each of several relays and speaks for everybody in the
// process: it subscribes, verifies on worker threads, delivers every event once however many relays
// send it, and publishes with an outcome per relay. It reconnects by itself, for years.
//
//   auto loop = *net::Loop::start();
//   auto pool = Pool::start(*loop, {.relays = {*RelayUrl::parse("wss://relay.example")}});
//   auto id = pool->subscribe({{.kinds = {30078}}}, [&](PoolMessage& m) { return
//   inbox.try_push(std::move(m)); }); pool->publish(event, {}, [&](PublishReport report) { ... });

using SubscriptionKey = StrongId<struct SubscriptionKeyTag>;

// What a subscription's sink gets.
//
// `covered`: every event of the subscription that this relay had, created up to then less
// CatchUp::Options::overlap, was handed over with this message or before. Commit it together with
// what the message led to, and give it back to subscribe() after a restart.
struct PoolEvent {  // verified, matches the filters, not delivered to this subscription before
  SubscriptionKey subscription;
  RelayUrl relay;
  Event event;
  std::optional<UnixSeconds> covered;
};
struct PoolEose {  // this relay has sent what it had stored, or as much as it gives; told again
                   // when the rest came after all, or was refused for good
  SubscriptionKey subscription;
  RelayUrl relay;
  std::optional<UnixSeconds> covered;
  StoredEnd end = {};
};
struct PoolLink {  // this relay's share of the subscription went live, or was lost or refused, with
                   // the reason; told again when there is another reason
  SubscriptionKey subscription;
  RelayUrl relay;
  bool live = false;
  std::string reason;
};
using PoolMessage = std::variant<PoolEvent, PoolEose, PoolLink>;

struct PoolOptions {
  // Those that others named (RelayUrl::named_by()) are reached at public addresses only, unless
  // another one here, which the configuration named, is at the same scheme, host and port.
  std::vector<RelayUrl> relays;
  // For AUTH (NIP-42): the keys that we can prove to hold, the one to prove by default first.
  std::vector<std::shared_ptr<Signer>> signers;
  net::Access access{};
  size_t verify_threads = 1;
  MessageLimits limits;  // of frames from relays
  Relay::Options relay;
  Milliseconds connect_timeout{10'000};
  Milliseconds ping_interval{25'000};
  size_t remembered_events = 65536;  // per subscription, so that an event is delivered once
  Quarantine::Options quarantine;
  bool read_information = true;  // fetch each relay's NIP-11 document, and keep to its limits
  // Is told what the relays of the configuration say the time is; may be null.
  std::shared_ptr<ClockWitness> witness{};
};

struct SubscribeOptions {
  // What an earlier life of this subscription had committed, by relay: see PoolEvent::covered.
  std::map<RelayUrl, UnixSeconds> covered;
  // All events that the subscriber has for one of its filters, committed. With it, long absences
  // are caught up by NIP-77 where the relay has that and it was proved to work there: only what is
  // missing travels. Called on the net thread; must not block. May be empty.
  std::function<std::vector<NegentropyItem>(const Filter&)> known;
  // How the versions of an address are ordered beside their created_at. With it, older versions are
  // left out unverified once a newer one was delivered (see newest_rule.h); without it every event
  // is verified.
  ClaimedSequence claimed_sequence;
};

struct PublishOptions {
  std::vector<RelayUrl> relays;  // empty: all
  Milliseconds deadline{10'000};
  Quorum quorum;
  // Called once as soon as the quorum is reached, before the whole report. May be empty.
  std::function<void(PublishReport)> at_quorum;
  // Called once when all relays have settled or the deadline has passed, before any read-back. May
  // be empty.
  std::function<void(PublishReport)> at_settled;
  // Each relay is asked for the event this long after its OK, or after its OK did not come: that
  // settles "no answer", and finds relays which acknowledge and lose (R15). None: asked only where
  // the outcome is doubtful, and there always at once.
  std::optional<Milliseconds> read_back;
};

struct RelayStatus {
  RelayUrl url;
  bool connected = false;
  bool quarantined = false;  // acknowledged events and lost them
  std::string last_error;
  Relay::Counters counters;
  LearnedLimits learned;
  std::vector<std::pair<SubscriptionKey, SubscriptionStatus>> subscriptions;
};

// Thread-safe. Its callbacks run on the net thread: they must not block and must not destroy the
// pool.
class Pool {
 public:
  // Takes one message; false when there is no room, which keeps the message and stops reading from
  // the relays until resume_delivery().
  using Sink = std::function<bool(PoolMessage&)>;
  using PublishDone = std::function<void(PublishReport)>;

  // The loop outlives the pool.
  static std::unique_ptr<Pool> start(net::Loop& loop, PoolOptions options);
  // Closes every connection. No callback runs afterwards; publishes that are under way are dropped
  // without a report.
  ~Pool();

  // Asks all relays. Filters too large for one REQ are split (see split_filters.h).
  SubscriptionKey subscribe(std::vector<Filter> filters, Sink sink, SubscribeOptions options = {});
  // Other filters for the same subscription; what was delivered stays known.
  void replace(SubscriptionKey key, std::vector<Filter> filters);
  // The sink is not called any more once this returns. Not from inside a sink.
  void unsubscribe(SubscriptionKey key);
  void resume_delivery();

  // Sends the event to relays. `done` is called exactly once, when all relays have settled or at
  // the deadline, and with `read_back` when that is over too; every outcome in it is settled.
  void publish(Event event, PublishOptions options, PublishDone done);

  // Asks this relay, `wait` from now, for an event that it acknowledged in an earlier life: the
  // read-back of a publish(). `done` is called once, with ReadBack::no_answer when the relay is not
  // connected then, and with no outcome when it is not of this pool.
  void read_back(Event event, RelayUrl relay, Milliseconds wait, PublishDone done);

  std::vector<RelayStatus> status();

  // Called on the net thread whenever a relay is connected; one observer. Null takes it away.
  void on_connected(std::function<void(const RelayUrl&)> observer);

  // What read-backs have shown of relays (R15) in an earlier process, and, called on the net thread
  // whenever it changes, in this one; one observer. Null takes it away.
  void restore_standings(std::map<RelayUrl, RelayStanding> standings);
  void on_standing(std::function<void(const RelayUrl&, const RelayStanding&)> observer);
  // What relays' refusals taught, likewise.
  void restore_limits(std::map<RelayUrl, LearnedLimits> limits);
  void on_limits(std::function<void(const RelayUrl&, const LearnedLimits&)> observer);

 private:
  Pool();
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr
