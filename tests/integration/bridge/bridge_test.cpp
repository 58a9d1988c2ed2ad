// The bridge between a gateway and the embedded relay, over real sockets on loopback.
#include "ipnscast/bridge/bridge.h"

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using bridge::Bridge;
using nostr::server::RelayServer;
using test::ScriptedAnswer;
using test::ScriptedRequest;

namespace {

constexpr Seconds kPatience{200};
const char* const kOne = "/ipfs/bafkqaaa";
const char* const kTwo = "/ipfs/bafkqabdbmjrwi";

sync::IpnsKey record_key() {
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 7)));
}

template <typename T>
T& check_started(const Result<std::unique_ptr<T>>& started) {
  if (!started) FAIL(started.error().message);
  return **started;
}

// A trustless gateway that has the record of one name.
class Gateway {
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
  test::ScriptedHttpServer server_{[this](const ScriptedRequest& r) { return answer(r); }};
};

// Hears every hint that a relay has or gets, or events of other kinds.
class Listener {
 public:
  Listener(nostr::net::Loop& loop, const std::string& relay,
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

struct Fixture {
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

  test::TempDir state;
  test::TempDir relay_dir;
  Gateway gateway;
  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<RelayServer> relay = start_relay();
  std::shared_ptr<nostr::Signer> signer = nostr::make_local_signer(nostr::SecretKey::generate());
};

}  // namespace

TEST_CASE("a change that nobody announced is found, and announced once under both kinds (S0-39)") {
  Fixture f;
  Listener listener(*f.loop, f.relay->url());
  const auto bridge = f.open();
  f.gateway.publish(1, kOne);
  const sync::Hint first = listener.next_pair();
  CHECK(first.name == record_key().name());
  CHECK(first.sequence == sync::Sequence{1});
  CHECK(first.author == f.signer->public_key());
  CHECK(sync::verify_record(first.name, first.record, system_now().wall));

  f.gateway.publish(2, kTwo);
  const sync::Hint second = listener.next_pair();
  CHECK(second.sequence == sync::Sequence{2});
  CHECK(sync::value_of(second.cid) == kTwo);
  CHECK(second.parent == first.cid);

  f.gateway.publish(3, kTwo);  // the same value again: a refresh
  f.gateway.publish(1, kOne);  // a rollback
  Fixture::wait_for_polls(*bridge, bridge->status().polls + 5);
  CHECK(listener.silent());
  CHECK(bridge->status().announcements == 2);
}

TEST_CASE("a restart announces nothing twice, and finds what changed meanwhile (R32)") {
  Fixture f;
  Listener listener(*f.loop, f.relay->url());
  f.gateway.publish(1, kOne);
  auto bridge = f.open();
  listener.next_pair();
  for (int i = 0; i < 3; ++i) {
    bridge.reset();
    bridge = f.open();
    Fixture::wait_for_polls(*bridge, 2);
    CHECK(bridge->status().announcements == 0);
  }
  CHECK(listener.silent());
  bridge.reset();
  f.gateway.publish(2, kTwo);
  bridge = f.open();
  CHECK(listener.next_pair().sequence == sync::Sequence{2});
  CHECK(listener.silent());
}

TEST_CASE("what was announced while no relay answered reaches it after a restart, once (R32)") {
  Fixture f;
  f.gateway.publish(1, kOne);
  const uint16_t port = f.relay->port();
  auto options = f.options();
  f.relay.reset();
  std::promise<bridge::Announcement> announced;
  options.on_announced = [&](const bridge::Announcement& a) { announced.set_value(a); };
  auto bridge = f.open(options);
  const auto announcement = announced.get_future().get();
  CHECK(announcement.events.size() == 2);
  bridge.reset();

  f.relay = f.start_relay(port);
  Listener listener(*f.loop, f.relay->url());
  options.on_announced = nullptr;
  bridge = f.open(options);
  const sync::Hint hint = listener.next_pair();
  CHECK((hint.event_id == announcement.events[0] || hint.event_id == announcement.events[1]));
  Fixture::wait_for_polls(*bridge, 3);
  CHECK(listener.silent());
}

TEST_CASE("two bridges that watch the same name do not feed each other (R32)") {
  Fixture f;
  test::TempDir other_state;
  Listener listener(*f.loop, f.relay->url());
  auto other = f.options();
  other.state_dir = other_state.path();
  other.signer = nostr::make_local_signer(nostr::SecretKey::generate());
  const auto a = f.open();
  const auto b = Fixture::open(other);
  f.gateway.publish(1, kOne);
  for (int i = 0; i < 4; ++i) CHECK(listener.next().sequence == sync::Sequence{1});
  Fixture::wait_for_polls(*a, a->status().polls + 5);
  Fixture::wait_for_polls(*b, b->status().polls + 5);
  CHECK(listener.silent());
}

TEST_CASE("R4 an event of the bridge's key from the far future is deleted, then announced over") {
  Fixture f;
  f.relay.reset();
  f.relay = f.start_relay(0, {.created_at_ahead = Seconds(7'200)});
  Listener listener(*f.loop, f.relay->url());
  const UnixSeconds now = system_now().seconds();
  const auto old_hint = f.hint(1, kOne, {now.value + 3'600});
  listener.publish(old_hint);
  CHECK(listener.next().event_id == old_hint.id);

  f.gateway.publish(2, kTwo);
  auto options = f.options();
  options.read_back = Milliseconds(50);
  const auto bridge = f.open(options);
  sync::Hint hint = listener.next();
  while (hint.kind != sync::kHintKind) hint = listener.next();
  CHECK(hint.sequence == sync::Sequence{2});
  CHECK(hint.created_at.value < now.value + 60);
  Fixture::wait_until([&] { return bridge->status().repairs == 1; });
}

TEST_CASE("R4 a bridge whose clock was wrong once deletes what it signed then, and announces") {
  Fixture f;
  const Seconds ahead = GENERATE(Seconds(3'600), Seconds(10LL * 365 * 86'400));
  // With an event of this very second the next one waits for the second to end, while polls go on.
  const bool waits = GENERATE(false, true);
  Listener listener(*f.loop, f.relay->url());
  f.gateway.publish(1, kOne);
  f.open()->close();
  {
    auto db = *store::Database::open(f.state.path() / "state.sqlite",
                                     {nostr::outbox_schema(), sync::sync_schema()});
    for (const int kind : {sync::kHintKind, sync::kPublicHintKind}) {
      const nostr::Address address{kind, f.signer->public_key(), sync::hint_d(record_key().name())};
      const UnixSeconds then{system_now().seconds().value + ahead.count()};
      nostr::EventId id;
      id.bytes[0] = static_cast<uint8_t>(kind);
      REQUIRE(sync::save_created_at(*db, address, then));
      REQUIRE(sync::save_sent(*db, id, address, then));
      if (!waits) continue;
      id.bytes[1] = 1;
      REQUIRE(sync::save_sent(*db, id, address, system_now().seconds()));
    }
  }
  Listener deletions(*f.loop, f.relay->url(), {5});
  f.gateway.publish(2, kTwo);
  const auto bridge = f.open();
  sync::Hint hint = listener.next();
  while (hint.sequence != sync::Sequence{2}) hint = listener.next();
  CHECK(hint.created_at.value < system_now().seconds().value + 60);
  for (int i = 0; i < 2; ++i) CHECK(deletions.event().tag("e").has_value());
}

TEST_CASE("R3 a bridge's hint that an older state of its key hides is signed again above it") {
  Fixture f;
  Listener listener(*f.loop, f.relay->url());
  // As from a copy of the bridge whose clock is five minutes ahead.
  const auto old_at = UnixSeconds{system_now().seconds().value + 300};
  const auto old_hint = f.hint(1, kOne, old_at);
  listener.publish(old_hint);
  CHECK(listener.next().event_id == old_hint.id);

  f.gateway.publish(2, kTwo);
  auto options = f.options();
  options.read_back = Milliseconds(50);
  std::atomic<int> repairs = 0;
  options.on_announced = [&](const bridge::Announcement& a) { repairs += a.repair ? 1 : 0; };
  const auto bridge = f.open(options);
  sync::Hint hint = listener.next();
  while (hint.kind != sync::kHintKind) hint = listener.next();  // the other kind was not hidden
  CHECK(hint.sequence == sync::Sequence{2});
  CHECK(hint.created_at.value == old_at.value + 1);
  Fixture::wait_until([&] { return repairs == 1; });
  CHECK(bridge->status().announcements == 1);
  CHECK(bridge->status().repairs == 1);
}

TEST_CASE("a bridge keeps to its quorum, and one that cannot be reached is refused") {
  Fixture f;
  auto options = f.options();
  options.quorum = {0, false, {*nostr::RelayUrl::parse("ws://127.0.0.1:1")}};
  const auto refused = Bridge::open(options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid);

  // Two relays, one of which is away: the report waits for both until the first try is over.
  options.relays.push_back(*nostr::RelayUrl::parse("ws://127.0.0.1:1"));
  options.quorum = {1, true, {}};
  options.publish_timeout = Milliseconds(300);
  options.read_back = Milliseconds(0);
  std::promise<bool> met;
  std::atomic<bool> told = false;
  options.on_report = [&](const sync::IpnsName&, const nostr::PublishReport& report) {
    if (!told.exchange(true)) met.set_value(options.quorum.reached(report));
  };
  f.gateway.publish(1, kOne);
  const auto bridge = f.open(options);
  auto answer = met.get_future();
  REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
  CHECK_FALSE(answer.get());
}

TEST_CASE("a second bridge on the same state directory is told so") {
  Fixture f;
  const auto bridge = f.open();
  const auto second = Bridge::open(f.options());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::conflict);
}

TEST_CASE("a bridge whose gateways are down keeps trying and finds the change when they are back") {
  Fixture f;
  f.gateway.publish(1, kOne);
  Listener listener(*f.loop, f.relay->url());
  auto options = f.options();
  options.gateways.insert(options.gateways.begin(), {"http://127.0.0.1:1", 1, {}});
  const auto bridge = f.open(options);
  CHECK(listener.next_pair().sequence == sync::Sequence{1});
}

TEST_CASE("a bridge without names, relays, gateways, key or addressable kinds is refused") {
  Fixture f;
  const auto refused = [&](const std::function<void(bridge::BridgeOptions&)>& spoil) {
    auto options = f.options();
    spoil(options);
    const auto opened = Bridge::open(std::move(options));
    return !opened && opened.error().code == Errc::invalid;
  };
  CHECK(refused([](auto& o) { o.names.clear(); }));
  CHECK(refused([](auto& o) { o.relays.clear(); }));
  CHECK(refused([](auto& o) { o.gateways.clear(); }));
  CHECK(refused([](auto& o) { o.signer.reset(); }));
  CHECK(refused([](auto& o) { o.kinds = {1}; }));
  CHECK(refused([](auto& o) { o.poll_max = Milliseconds(1); }));
}
