#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nostr/base/strong_id.h"
#include "nostr/filter.h"
#include "nostr/net/loop.h"
#include "nostr/publish_outcome.h"
#include "nostr/relay.h"
#include "nostr/signer.h"

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
struct PoolEvent {  // verified, matches the filters, not delivered to this subscription before
  SubscriptionKey subscription;
  RelayUrl relay;
  Event event;
};
struct PoolEose {  // this relay has sent what it had stored
  SubscriptionKey subscription;
  RelayUrl relay;
};
struct PoolLink {  // this relay's share of the subscription went live, or was lost or refused, with
                   // the reason
  SubscriptionKey subscription;
  RelayUrl relay;
  bool live = false;
  std::string reason;
};
using PoolMessage = std::variant<PoolEvent, PoolEose, PoolLink>;

struct PoolOptions {
  std::vector<RelayUrl> relays;
  std::shared_ptr<Signer> signer;  // for AUTH (NIP-42); may be null
  std::string ca_file;             // PEM; empty: the system's
  size_t verify_threads = 1;
  MessageLimits limits;  // of frames from relays
  Relay::Options relay;
  Milliseconds connect_timeout{10'000};
  Milliseconds ping_interval{25'000};
  size_t remembered_events = 65536;  // per subscription, so that an event is delivered once
};

struct PublishOptions {
  std::vector<RelayUrl> relays;  // empty: all
  Milliseconds deadline{10'000};
  size_t quorum = 1;
  // Called once as soon as `quorum` relays have stored the event, before the whole report. May be
  // empty.
  std::function<void(PublishReport)> at_quorum;
};

struct RelayStatus {
  RelayUrl url;
  bool connected = false;
  std::string last_error;
  Relay::Counters counters;
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
  SubscriptionKey subscribe(std::vector<Filter> filters, Sink sink);
  // Other filters for the same subscription; what was delivered stays known.
  void replace(SubscriptionKey key, std::vector<Filter> filters);
  // The sink is not called any more once this returns. Not from inside a sink.
  void unsubscribe(SubscriptionKey key);
  void resume_delivery();

  // Sends the event to relays. `done` is called exactly once, when all relays have settled or at
  // the deadline.
  void publish(Event event, PublishOptions options, PublishDone done);

  std::vector<RelayStatus> status();

 private:
  Pool();
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr
