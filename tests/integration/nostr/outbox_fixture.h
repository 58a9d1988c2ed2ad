#pragma once

#include <filesystem>
#include <fstream>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/outbox/limits_store.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/nostr/outbox/quarantine_store.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/scripted_relay.h"
#include "ipnscast/tests/support/temp_dir.h"

// Outboxes of processes that come and go, and relays that a test plays.
namespace ipnscast::test {

using namespace ipnscast::nostr;

inline constexpr Milliseconds kWait{10'000};

inline const SecretKey& author() {
  static const SecretKey key = SecretKey::generate();
  return key;
}

inline Event hint(const std::string& d, int64_t created_at, const std::string& content = "") {
  return sign_event(author(), {{created_at}, 30078, {{"d", d}}, content});
}

inline int64_t now_seconds() { return system_now().seconds().value; }

// One process: a state file, a pool and an outbox.
struct Sender {
  std::unique_ptr<net::Loop> loop = std::move(*net::Loop::start());
  std::vector<RelayUrl> relays;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<store::Writer> writer;
  Inbox<std::pair<Event, Event>> superseded{16};
  std::unique_ptr<OutboxSender> outbox;

  Sender(const std::filesystem::path& file, std::vector<RelayUrl> urls,
         OutboxSender::Options options = quick())
      : relays(urls) {
    PoolOptions with;
    with.relays = std::move(urls);
    with.relay.connect =
        with.relay.connect_in_outage = {Milliseconds(50), Milliseconds(200), Milliseconds(60'000)};
    pool = Pool::start(*loop, std::move(with));
    writer =
        std::make_unique<store::Writer>(std::move(*store::Database::open(file, {outbox_schema()})));
    options.on_superseded = [this](const Event& ours, const Event& newer) {
      superseded.try_push({ours, newer});
    };
    outbox = std::make_unique<OutboxSender>(*pool, *writer, std::move(options));
  }
  ~Sender() {
    outbox.reset();
    pool.reset();
  }

  static OutboxSender::Options quick() {
    OutboxSender::Options out;
    out.retry = {Milliseconds(50), Milliseconds(200), Milliseconds(60'000)};
    out.read_back = Milliseconds(50);
    return out;
  }

  // The first report.
  PublishReport send(const Event& event, Quorum quorum = {}) {
    REQUIRE(writer->run([&](store::Database& db) { return outbox_add(db, event, relays); }));
    auto reports = std::make_shared<Inbox<PublishReport>>(4);
    outbox->committed({event, relays}, std::move(quorum), [reports](const PublishReport& report) {
      reports->push_reserved(PublishReport(report));
    });
    auto report = reports->pop_until(std::chrono::steady_clock::now() + kWait);
    REQUIRE(report);
    return *report;
  }
  size_t waiting() {
    size_t out = 0;
    REQUIRE(writer->run([&](store::Database& db) -> Status {
      out = outbox_pending(db)->size();
      return {};
    }));
    return out;
  }
  bool wait_empty() {
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    while (std::chrono::steady_clock::now() < deadline) {
      if (waiting() == 0) return true;
    }
    return false;
  }
};

// Keeps what it is sent, as a good relay does, or loses what it acknowledged.
struct Shelf {
  std::mutex mutex;
  std::map<std::string, Event> newest;
  std::atomic<int> loses = 0;  // so many events yet

  void put(const Event& event) {
    std::lock_guard lock(mutex);
    auto [known, added] = newest.try_emplace(std::string(*event.tag("d")), event);
    if (!added && supersedes(event, known->second)) known->second = event;
  }
  std::optional<Event> get(const std::string& d) {
    std::lock_guard lock(mutex);
    const auto found = newest.find(d);
    return found == newest.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<Event> find(const Filter& filter) {
    if (filter.ids.empty()) return get(filter.tags.at('d')[0]);
    std::lock_guard lock(mutex);
    for (const auto& [d, event] : newest) {
      if (event.id == filter.ids[0]) return event;
    }
    return std::nullopt;
  }
  ScriptedRelay::Script script() {
    return [this](ScriptedRelay& self, auto c, const ClientMessage& m) {
      if (const auto* p = std::get_if<PublishRequest>(&m)) {
        if (loses > 0) {
          --loses;
        } else {
          put(p->event);
        }
        self.say(c, RelayMessage(OkMessage{p->event.id, true, ""}));
      } else if (const auto* req = std::get_if<ReqRequest>(&m)) {
        if (const auto event = find(req->filters[0]))
          self.say(c, RelayMessage(EventMessage{req->subscription, *event}));
        self.say(c, RelayMessage(EoseMessage{req->subscription}));
      }
    };
  }
};

}  // namespace ipnscast::test
