#pragma once

// Private: the inside of the pool. Everything here lives on the net thread.
#include <deque>
#include <map>
#include <unordered_map>

#include "nostr/base/bounded_set.h"
#include "nostr/net/verify_threads.h"
#include "nostr/net/websocket_client.h"
#include "nostr/pool.h"

namespace ipnscast::nostr {

struct Pool::Impl : std::enable_shared_from_this<Pool::Impl> {
  // One relay: its state machine and the socket that it drives.
  struct Link {
    Link(uint64_t number, RelayUrl address, Relay relay)
        : id(number), url(std::move(address)), machine(std::move(relay)) {}
    const uint64_t id;
    const RelayUrl url;
    Relay machine;
    std::unique_ptr<net::WebSocketClient> socket;
    std::string last_error;
    std::deque<std::string> stalled;  // frames that wait for room at their verification thread
    std::optional<Instant> wake_at;
  };
  struct Subscription {
    explicit Subscription(size_t remembered) : delivered(remembered) {}
    std::vector<SubscriptionId> parts;  // its REQs, the same at every relay
    Sink sink;
    BoundedSet<EventId> delivered;
    std::deque<PoolMessage> undelivered;  // the sink had no room; nothing is read meanwhile
    std::map<uint64_t, bool> live;        // by link: all its parts are live there
  };
  struct Publish {
    PublishReport report;
    size_t quorum = 0;
    Instant deadline;
    PublishDone at_quorum;
    PublishDone done;
  };

  Impl(net::Loop& l, PoolOptions o) : loop(l), options(std::move(o)) {}

  void start();
  void stop();
  // Runs the task on the net thread unless the pool has stopped.
  void post(std::function<void(Impl&)> task);

  // pool.cpp
  void connect(Link& link);
  void perform(Link& link, Relay::Actions actions);
  void do_one(Link& link, Relay::Action& action);
  void arm(Link& link);
  void wake(uint64_t id);
  void socket_closed(Link& link, net::Closed closed);
  void sign_auth(Link& link, const std::string& challenge);

  // pool_frames.cpp
  void received(Link& link, std::string frame);
  void checked(std::vector<net::VerifyThreads::Checked> batch);
  void flush_stalled();
  void deliver(const SubscriptionId& part, PoolMessage message);
  void note_links(Link& link);
  void flush_undelivered();
  bool blocked() const { return undelivered_count > 0; }
  void update_reading(Link& link);

  // pool_publish.cpp
  void publish(Event event, const PublishOptions& wanted, PublishDone done);
  void published(Link& link, const EventId& id, RelayOutcome outcome);
  void report_if_due(std::multimap<EventId, Publish>::iterator it, bool deadline);

  // pool_subscribe.cpp
  void subscribe(SubscriptionKey key, const std::vector<Filter>& filters, Sink sink);
  void replace(SubscriptionKey key, const std::vector<Filter>& filters);
  void unsubscribe(SubscriptionKey key);
  std::vector<RelayStatus> status() const;

  // constant after construction
  net::Loop& loop;
  const PoolOptions options;

  std::vector<std::unique_ptr<Link>> links;  // by id - 1
  std::unique_ptr<net::VerifyThreads> verify;
  std::map<SubscriptionKey, Subscription> subscriptions;
  std::unordered_map<SubscriptionId, SubscriptionKey> parts;
  std::multimap<EventId, Publish> publishes;
  size_t undelivered_count = 0;
  uint64_t next_part = 1;
  bool stopped = false;
};

}  // namespace ipnscast::nostr
