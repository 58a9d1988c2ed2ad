#pragma once

#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/temp_dir.h"

// A bridge between a gateway that has the record of one name and the embedded relay.
namespace ipnscast::test {

using bridge::Bridge;
using nostr::server::RelayServer;

inline constexpr Seconds kPatience{200};
inline const char* const kOne = "/ipfs/bafkqaaa";
inline const char* const kTwo = "/ipfs/bafkqabdbmjrwi";

inline sync::IpnsKey record_key() {
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 7)));
}

template <typename T>
T& check_started(const Result<std::unique_ptr<T>>& started) {
  if (!started) FAIL(started.error().message);
  return **started;
}

// A trustless gateway that has the record of one name.
class RecordGateway {
 public:
  void publish(uint64_t sequence, const std::string& value) {
    const auto made = sync::create_record(
        record_key(), {.value = value,
                       .sequence = {sequence},
                       .eol = sync::Eol::after(system_now().wall, std::chrono::hours(1))});
    const std::lock_guard lock(mutex_);
    record_ = std::string(as_text(made->bytes()));
  }
  std::string url() const { return server_.url(); }

 private:
  ScriptedAnswer answer(const ScriptedRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.target.find("?format=ipns-record") == std::string::npos || record_.empty())
      return {.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "no"};
    return {.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}}, .body = record_};
  }

  std::mutex mutex_;
  std::string record_;  // guarded by mutex_
  ScriptedHttpServer server_{[this](const ScriptedRequest& r) { return answer(r); }};
};

// Hears every hint that a relay has or gets, or events of other kinds.
class HintListener {
 public:
  HintListener(nostr::net::Loop& loop, const std::string& relay,
               std::vector<int> kinds = {sync::kHintKind, sync::kPublicHintKind}) {
    nostr::PoolOptions options;
    options.relays = {*nostr::RelayUrl::parse(relay)};
    pool_ = nostr::Pool::start(loop, std::move(options));
    nostr::Filter filter;
    filter.kinds = std::move(kinds);
    pool_->subscribe({filter}, [this](nostr::PoolMessage& message) {
      if (auto* event = std::get_if<nostr::PoolEvent>(&message))
        inbox_.push_reserved(std::move(event->event));
      return true;
    });
  }
  nostr::Event event() {
    auto out = inbox_.pop_until(system_now().steady + kPatience);
    REQUIRE(out);
    return std::move(*out);
  }
  sync::Hint next() {
    const auto hint = sync::parse_hint(event());
    REQUIRE(hint);
    return *hint;
  }
  // Both kinds of one announcement.
  sync::Hint next_pair() {
    const sync::Hint a = next();
    const sync::Hint b = next();
    CHECK(a.kind + b.kind == sync::kHintKind + sync::kPublicHintKind);
    CHECK(a.sequence == b.sequence);
    CHECK(a.cid == b.cid);
    return a;
  }
  void publish(const nostr::Event& event) {
    std::promise<size_t> stored;
    pool_->publish(event, {}, [&](const nostr::PublishReport& report) {
      stored.set_value(report.stored_count());
    });
    REQUIRE(stored.get_future().get() == 1);
  }
  bool silent() const { return inbox_.size() == 0; }

 private:
  Inbox<nostr::Event> inbox_{1000};
  std::unique_ptr<nostr::Pool> pool_;
};

struct BridgeFixture {
  bridge::BridgeOptions options() {
    bridge::BridgeOptions out;
    out.state_dir = state.path();
    out.relays = {*nostr::RelayUrl::parse(relay->url())};
    out.gateways = {{gateway.url(), 1, {}}};
    out.names = {record_key().name()};
    out.signer = signer;
    out.poll_min = Milliseconds(20);
    out.poll_max = Milliseconds(40);
    return out;
  }
  std::unique_ptr<Bridge> open() { return open(options()); }
  static std::unique_ptr<Bridge> open(bridge::BridgeOptions options) {
    auto opened = Bridge::open(std::move(options));
    check_started(opened);
    return std::move(*opened);
  }
  // Waits until it has polled so often.
  static void wait_for_polls(const Bridge& bridge, uint64_t count) {
    wait_until([&] { return bridge.status().polls >= count; });
  }
  static void wait_until(const std::function<bool()>& done) {
    const Instant deadline = system_now().steady + kPatience;
    while (!done()) {
      REQUIRE(system_now().steady < deadline);
      std::this_thread::sleep_for(Milliseconds(5));
    }
  }
  // A hint of the bridge's key, as another copy of the bridge made it.
  nostr::Event hint(uint64_t sequence, const std::string& value, UnixSeconds created_at) const {
    auto draft = sync::make_hint_event({.name = record_key().name(),
                                        .cid = *sync::root_of(value),
                                        .sequence = {sequence},
                                        .timestamp = system_now().wall,
                                        .version = 0,
                                        .device_id = {},
                                        .parent = {},
                                        .record = {}},
                                       created_at);
    auto event = nostr::sign_blocking(*signer, std::move(*draft), Milliseconds(1'000));
    REQUIRE(event);
    return *event;
  }
  std::unique_ptr<RelayServer> start_relay(uint16_t port = 0,
                                           nostr::server::RelayOptions rules = {}) {
    auto started = RelayServer::start(
        *loop, {.port = port, .directory = relay_dir.path(), .relay = std::move(rules)});
    check_started(started);
    return std::move(*started);
  }

  TempDir state;
  TempDir relay_dir;
  RecordGateway gateway;
  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<RelayServer> relay = start_relay();
  std::shared_ptr<nostr::Signer> signer = nostr::make_local_signer(nostr::SecretKey::generate());
};

}  // namespace ipnscast::test
