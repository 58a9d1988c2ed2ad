// The bridge between a gateway and the embedded relay, over real sockets on loopback.
#include <atomic>

#include "ipnscast/bridge/moved_state.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/integration/bridge/bridge_fixture.h"

using namespace ipnscast;
using namespace ipnscast::test;

using Fixture = BridgeFixture;
using Listener = HintListener;

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

TEST_CASE(
    "a name whose announcements were retracted beside the bridge is left alone, until it is "
    "published or announced again (S0-78)") {
  Fixture f;
  TempDir publisher;
  const auto name = record_key().name();
  const auto note = [&](Status (*how)(store::Database&, const sync::IpnsName&)) {
    const auto db = store::Database::open(publisher.path() / sync::kStateFile,
                                          {nostr::outbox_schema(), sync::sync_schema()});
    REQUIRE(db);
    REQUIRE(how(**db, name));
  };
  Listener listener(*f.loop, f.relay->url());
  auto options = f.options();
  options.publisher_dir = publisher.path();
  const auto bridge = f.open(options);
  f.gateway.publish(1, kOne);
  CHECK(listener.next_pair().sequence == sync::Sequence{1});
  note(sync::note_retracted);
  f.gateway.publish(2, kTwo);
  Fixture::wait_for_polls(*bridge, bridge->status().polls + 5);
  CHECK(listener.silent());
  note(sync::forget_retracted);
  CHECK(listener.next_pair().sequence == sync::Sequence{2});
}

TEST_CASE(
    "a bridge that shared its user's state directory takes what it knew along, once (S0-78)") {
  Fixture f;
  f.gateway.publish(1, kOne);
  {
    Listener listener(*f.loop, f.relay->url());
    const auto bridge = f.open();
    CHECK(listener.next_pair().sequence == sync::Sequence{1});
  }
  auto options = f.options();
  options.state_dir = f.state.path() / "bridge";
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(bridge::move_state(f.state.path(), options.state_dir));
    const auto bridge = f.open(options);
    Fixture::wait_for_polls(*bridge, 3);
    CHECK(bridge->status().announcements == 0);
    CHECK(bridge->status().changes == 0);
  }
  // Nothing comes from where no bridge ever was.
  TempDir other;
  REQUIRE(bridge::move_state(other.path(), other.path() / "bridge"));
  CHECK(std::filesystem::is_empty(other.path()));
}
