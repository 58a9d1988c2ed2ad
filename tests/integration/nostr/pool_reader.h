#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/support/relays/scripted_relay.h"

// A pool with one subscription that a test reads, and events to feed it with.
namespace ipnscast::test {

using namespace ipnscast::nostr;

inline const SecretKey& author() {
  static const SecretKey key = SecretKey::generate();
  return key;
}

inline Event note(int64_t created_at, std::string content, int kind = 1) {
  return sign_event(author(), {{created_at}, kind, {}, std::move(content)});
}

inline int64_t now_seconds() { return system_now().seconds().value; }

// A subscription whose messages the test reads.
struct Reader {
  std::unique_ptr<net::Loop> loop = *net::Loop::start();
  Inbox<PoolMessage> inbox{100000};
  std::unique_ptr<Pool> pool;
  SubscriptionKey key;

  Reader(std::vector<RelayUrl> relays, std::vector<Filter> filters, PoolOptions options = {}) {
    options.relays = std::move(relays);
    options.relay.connect = {Milliseconds(50), Milliseconds(400), Milliseconds(60'000)};
    options.relay.resubscribe = options.relay.connect;
    pool = Pool::start(*loop, std::move(options));
    key = pool->subscribe(std::move(filters),
                          [this](PoolMessage& m) { return inbox.try_push(std::move(m)); });
  }
  ~Reader() { pool.reset(); }

  // The next event, or nothing within `wait`.
  std::optional<Event> next_event(Milliseconds wait = Milliseconds(10'000)) {
    const Instant deadline = std::chrono::steady_clock::now() + wait;
    while (auto message = inbox.pop_until(deadline)) {
      if (auto* event = std::get_if<PoolEvent>(&*message)) return event->event;
    }
    return std::nullopt;
  }
  bool wait_live() {
    const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
    while (auto message = inbox.pop_until(deadline)) {
      const auto* link = std::get_if<PoolLink>(&*message);
      if (link != nullptr && link->live) return true;
    }
    return false;
  }
};

inline std::string event_frame(const SubscriptionId& id, const Event& event) {
  return to_frame(RelayMessage(EventMessage{id, event}));
}

inline const std::string* req_id(const ClientMessage& message) {
  const auto* req = std::get_if<ReqRequest>(&message);
  return req == nullptr ? nullptr : &req->subscription;
}

}  // namespace ipnscast::test
