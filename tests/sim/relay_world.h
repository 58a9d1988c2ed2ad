#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/nostr/pool/outage_watch.h"
#include "ipnscast/nostr/relay/relay.h"

// Relays, a publisher and a reader on one virtual clock: the real state machines and the real
// outbox tables, everything around them played. Relays fail, cut answers short, refuse and forget
// connections at random, by a seed.
namespace ipnscast::test {

using namespace ipnscast::nostr;

class World;

// Time and what is planned in it.
class VirtualTime {
 public:
  Now now() const { return {steady_, {wall_ms_}}; }
  void after(Milliseconds wait, std::function<void()> task) {
    tasks_.emplace(steady_ + wait, std::move(task));
  }
  // The wall clock only.
  void jump(Milliseconds by) { wall_ms_ += by.count(); }
  void run_until(Instant end);

 private:
  Instant steady_ = Instant(std::chrono::hours(1000));
  int64_t wall_ms_ = 1'790'000'000'000;
  std::multimap<Instant, std::function<void()>> tasks_;
};

// A relay as others see it: NIP-01 with an answer limit. Keeps regular events for 60 days.
class PlayedRelay {
 public:
  using Answer = std::function<void(RelayMessage)>;
  PlayedRelay(World& world, size_t number, size_t limit);

  bool up = true;
  // 0 when refused.
  uint64_t connect(Answer answer, std::function<void()> lost);
  void disconnect(uint64_t connection);
  void hear(uint64_t connection, const std::string& frame);
  void drop_all();
  uint64_t reconciliations = 0;  // NEG-OPENs
  bool has(const EventId& id) const { return by_id_.count(id) != 0; }
  const Milliseconds latency;

 private:
  struct Connection {
    Answer answer;
    std::function<void()> lost;
    std::map<SubscriptionId, std::vector<Filter>> subscriptions;
    std::map<SubscriptionId, NegentropySet> negotiations;
  };
  void say(uint64_t connection, RelayMessage message);
  void publish(uint64_t connection, const Event& event);
  void request(uint64_t connection, const ReqRequest& request);
  void reconcile(uint64_t connection, const SubscriptionId& id, ByteView message);
  void forget_old();

  World& world_;
  const size_t number_;
  const size_t limit_;
  uint64_t next_ = 1;
  std::map<uint64_t, Connection> connections_;
  std::map<EventId, Event> by_id_;
  std::map<Address, EventId> by_address_;
  std::set<std::pair<int64_t, EventId>> by_time_;
};

// One process with a connection to every relay.
class Client {
 public:
  Client(World& world, std::function<void(size_t relay, Relay::Action&)> take);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Relay& relay(size_t number) { return links_[number]->machine; }
  template <typename Call>
  void act(size_t number, Call call) {
    Relay::Actions actions;
    call(relay(number), actions);
    perform(number, std::move(actions));
  }
  uint64_t connects() const { return connects_; }
  // The shortest time between two tries at one relay.
  Milliseconds shortest_wait() const { return shortest_wait_; }

 private:
  struct Link {
    explicit Link(Relay m) : machine(std::move(m)) {}
    Relay machine;
    uint64_t connection = 0;
    std::optional<Instant> tried_at;
    std::optional<Instant> wake_at;
  };
  void perform(size_t number, Relay::Actions actions);
  void connect(size_t number);
  void lost(size_t number);
  void arm(size_t number);
  // Runs later unless this client is gone by then.
  void later(Milliseconds wait, std::function<void()> task);

  World& world_;
  const std::function<void(size_t, Relay::Action&)> take_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::unique_ptr<Link>> links_;
  OutageWatch outage_;
  uint64_t connects_ = 0;
  Milliseconds shortest_wait_{std::chrono::hours(24)};
};

// Keeps what it signs in the real outbox until every relay has it.
class Publisher {
 public:
  explicit Publisher(World& world);
  void publish(int kind, const std::string& d);
  size_t waiting();
  int64_t state_pages();

  std::set<EventId> regular;           // signed so far
  std::map<Address, Event> addressed;  // the newest of each

 private:
  void send(const OutboxEntry& entry);
  void retry();

  World& world_;
  uint64_t number_ = 0;
  std::unique_ptr<store::Database> db_;
  std::unique_ptr<Client> client_;
  std::map<Address, int64_t> last_created_at_;
  std::set<std::pair<EventId, size_t>> under_way_;
};

// Hands each event over at least once and commits it together with the marks; may be killed.
class Reader {
 public:
  explicit Reader(World& world);
  void start();
  void kill();
  const Client* client() const { return client_.get(); }

  // committed
  std::map<EventId, UnixSeconds> regular;
  std::map<Address, Event> addressed;
  std::map<RelayUrl, UnixSeconds> covered;
  uint64_t handed_over = 0;

 private:
  struct Item {
    size_t relay = 0;
    Event event;
    std::optional<UnixSeconds> covered;
  };
  void take(size_t relay, Relay::Action& action);
  void commit_next();

  World& world_;
  std::unique_ptr<Client> client_;
  uint64_t life_ = 0;
  std::set<EventId> seen_;     // in this life
  std::vector<Item> pending_;  // handed over, not committed
};

class World {
 public:
  World(uint64_t seed, size_t relays, Relay::Options options = {}, bool clocks_jump = true,
        bool negentropy = false);
  // Everything at random until `end`, then everything works for three days.
  void run(Milliseconds length);

  static RelayUrl url(size_t relay);
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(rng) < p; }
  Milliseconds between(Milliseconds least, Milliseconds most) {
    return Milliseconds(std::uniform_int_distribution<int64_t>(least.count(), most.count())(rng));
  }

  const Relay::Options options;
  const bool clocks_jump;  // else no relay is away for more than half an hour either
  // Relays speak NIP-77; the first one keeps things back when it does.
  const bool negentropy;
  Rng rng;
  VirtualTime time;
  bool calm = false;
  std::vector<std::unique_ptr<PlayedRelay>> relays;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<Reader> reader;

 private:
  void relay_fails(size_t number);
  void all_fail();
  void reader_dies();
  void clock_jumps();
  void something_is_published();
};

}  // namespace ipnscast::test
