#pragma once

// Private: the inside of the pool. Everything here lives on the net thread.
#include <deque>
#include <map>
#include <unordered_map>

#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/net/information_fetcher.h"
#include "ipnscast/nostr/net/verify_threads.h"
#include "ipnscast/nostr/net/websocket_client.h"
#include "ipnscast/nostr/pool/outage_watch.h"
#include "ipnscast/nostr/pool/pool.h"

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
    size_t checking = 0;              // frames that are at that thread
    std::optional<net::Closed> end;   // of the connection, until these have been taken
    std::optional<Instant> wake_at;
    // Its information document: when it came, how long to wait after a failure, and that an answer
    // or the next try is under way.
    std::optional<Instant> informed_at;
    Backoff information_backoff{Backoff::Options{Milliseconds(60'000), Milliseconds(3'600'000)}};
    bool information_pending = false;
    RequestLimits requests;  // what the subscriptions at this relay were fitted to
    LearnedLimits learned;   // as the observer knows it
  };
  // Of a subscription at one relay: all its parts are live there, or why not.
  struct Standing {
    bool live = false;
    std::string reason;
    bool operator==(const Standing&) const = default;
  };
  struct Subscription {
    explicit Subscription(size_t remembered) : delivered(remembered) {}
    std::vector<Filter> filters;
    std::vector<CatchUp::Filters> groups;  // of the parts
    RequestLimits needs;                   // of the largest of these
    std::vector<SubscriptionId> parts;     // its REQs, the same at most relays
    // At those that take less in one REQ than others do: by link.
    std::map<uint64_t, std::vector<SubscriptionId>> own_parts;
    std::map<RelayUrl, UnixSeconds> covered;  // by an earlier life
    std::function<std::vector<NegentropyItem>(const Filter&)> known;
    Sink sink;
    ClaimedSequence claimed_sequence;  // may be empty
    BoundedSet<EventId> delivered;
    std::deque<PoolMessage> undelivered;  // the sink had no room; nothing is read meanwhile
    std::map<uint64_t, Standing> told;    // by link
  };
  struct Publish {
    Event event;
    PublishReport report;
    Quorum quorum;
    Instant deadline;
    std::optional<Milliseconds> read_back;
    size_t reading_back = 0;  // relays that are still asked
    bool deleted = false;     // we asked for its end meanwhile: that it is missing tells nothing
    PublishDone at_quorum;
    PublishDone at_settled;
    PublishDone done;
  };
  // One relay is asked for an event that was published: a subscription of our own, at this link
  // only.
  struct Asking {
    EventId event;
    uint64_t link = 0;
    ReadBack result = ReadBack::missing;
    std::shared_ptr<const Event> newer;
  };

  Impl(net::Loop& l, PoolOptions o)
      : loop(l), options(std::move(o)), quarantine(options.quarantine) {}

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
  void socket_closed(Link& link, const net::Closed& closed);
  void end_link_if_due(Link& link);
  void network_back();
  void ask_for_information(Link& link);
  void informed(const RelayUrl& url, const Result<RelayInformation>& what);
  void ask_for_information_in(Link& link, Milliseconds wait);
  void sign_auth(Link& link, const Relay::SignAuth& wanted);

  // frames.cpp
  void received(Link& link, std::string frame);
  void checked(std::vector<net::VerifyThreads::Checked> batch);
  void flush_stalled();
  void deliver(const Link& link, const SubscriptionId& part, PoolMessage message);
  void note_end(Link& link, const SubscriptionId& part);
  bool wants(const CheckedFrame& duplicate) const;
  void note_links(Link& link);
  void note_part(Link& link, const SubscriptionId& part);
  void note_link(Link& link, SubscriptionKey key, Subscription& subscription);
  std::optional<UnixSeconds> covered(const Subscription& subscription, const Link& link) const;
  void flush_undelivered();
  bool blocked() const { return undelivered_count > 0; }
  void update_reading(Link& link);

  // publish.cpp
  void publish(const Event& event, const PublishOptions& wanted, PublishDone done);
  void published(Link& link, const EventId& id, RelayOutcome outcome);
  void deadline_passed(const EventId& id);
  void report_if_due(std::multimap<EventId, Publish>::iterator it);

  // read_back.cpp
  void read_back(Event event, const RelayUrl& relay, Milliseconds wait, PublishDone done);
  void ask_later(Link& link, Publish& publish, const RelayOutcome& outcome);
  void ask_back(Link& link, const EventId& id);
  bool take_asked(const SubscriptionId& part, const PoolMessage& message);
  void asking_over(const SubscriptionId& part, ReadBack result);
  void judge(const RelayUrl& relay, ReadBack result, bool lost);
  void asking_lost(const Link& link);

  // subscribe.cpp
  void subscribe(SubscriptionKey key, const std::vector<Filter>& filters, Sink sink,
                 SubscribeOptions with);
  void replace(SubscriptionKey key, const std::vector<Filter>& filters);
  void unsubscribe(SubscriptionKey key);
  void tell_known(Link& link, const Relay::NeedKnown& wanted);
  static const std::vector<SubscriptionId>& parts_at(const Subscription& subscription,
                                                     const Link& link);
  void place(SubscriptionKey key, Subscription& subscription, Link& link,
             std::optional<UnixSeconds> covered);
  void set_rules(const Subscription& subscription, const std::vector<SubscriptionId>& list,
                 const std::vector<CatchUp::Filters>& groups);
  void resize_parts(SubscriptionKey key, std::vector<SubscriptionId>& list, size_t count);
  void note_limits(Link& link);
  void fit_requests(Link& link);
  void unsubscribe_at(Link& link, const SubscriptionId& part);
  void drop_part(const SubscriptionId& part);
  std::vector<RelayStatus> status() const;

  // constant after construction
  net::Loop& loop;
  const PoolOptions options;

  std::vector<std::unique_ptr<Link>> links;  // by id - 1
  std::unique_ptr<net::VerifyThreads> verify;
  std::unique_ptr<net::InformationFetcher> information;
  std::map<SubscriptionKey, Subscription> subscriptions;
  std::unordered_map<SubscriptionId, SubscriptionKey> parts;
  std::multimap<EventId, Publish> publishes;
  std::map<SubscriptionId, Asking> asking;
  Quarantine quarantine;
  OutageWatch outage;
  std::function<void(const RelayUrl&)> connected_observer;
  std::function<void(const RelayUrl&, const RelayStanding&)> standing_observer;
  std::function<void(const RelayUrl&, const LearnedLimits&)> limits_observer;
  size_t undelivered_count = 0;
  uint64_t next_part = 1;
  bool stopped = false;
};

}  // namespace ipnscast::nostr
