// A hint that was retracted stays away until the user announces the name again.
#include "ipnscast/bridge/bridge.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/integration/nostr/stored_events.h"
#include "ipnscast/tests/integration/sync/publish_nodes.h"
#include "ipnscast/tests/support/relays/scripted_relay.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

size_t hints_signed(const Config& config) {
  const auto db = *store::Database::open_read_only(config.state_dir / kStateFile);
  return load_sent(*db)->size();
}

// The record is renewed by a process that begins when less than half of its time is left.
void renew(Nodes& world, Config config) {
  config.record_lifetime = std::chrono::hours(48);
  const auto writer = *Client::open(config);
  REQUIRE(writer->keep_alive(world.key));
  REQUIRE(Nodes::eventually([&] { return world.seconds_left(0, world.key.name()) > 47 * 3'600; }));
}

}  // namespace

TEST_CASE("a renewal does not announce a retracted name again, until it is published") {
  Nodes world(1);
  auto config = world.config("writer");
  config.record_lifetime = std::chrono::hours(1);
  {
    const auto writer = *Client::open(config);
    REQUIRE(writer->publish(world.key, world.tree("one")));
    REQUIRE(writer->retract(world.key.name()));
  }
  CHECK(hints_signed(config) == 1);
  renew(world, config);
  CHECK(hints_signed(config) == 1);
  CHECK(events_of(world, {kHintKind}).empty());
  {
    const auto writer = *Client::open(config);
    REQUIRE(writer->publish(world.key, world.tree("two")));
  }
  CHECK(hints_signed(config) == 2);
  renew(world, config);
  CHECK(hints_signed(config) == 3);
  CHECK(events_of(world, {kHintKind}).size() == 1);
}

TEST_CASE("a bridge leaves a retracted name alone until it is announced again") {
  World world;
  const IpnsName name = world.key.name();
  const auto config = world.config("writer");
  const auto run = [&](const auto& check) {
    const auto bridge = bridge::Bridge::open({.state_dir = config.state_dir,
                                              .relays = config.relays,
                                              .gateways = config.gateways,
                                              .names = {name},
                                              .signer = config.signer,
                                              .loop = world.loop.get()});
    REQUIRE(bridge);
    check(**bridge);
  };
  std::optional<Outcome> outcome;
  {
    const auto writer = *Client::open(config);
    outcome = *writer->publish(world.key, world.tree("one"));
    REQUIRE(writer->retract(name));
  }
  run([&](bridge::Bridge& bridge) {
    CHECK(Nodes::eventually([&] { return bridge.status().changes == 1; }));
    CHECK(bridge.status().announcements == 0);
  });
  CHECK(events_of(world, {kHintKind, kPublicHintKind}).empty());
  {
    const auto writer = *Client::open(config);
    REQUIRE(writer->announce(name, outcome->cid, outcome->sequence, std::nullopt));
  }
  run([&](bridge::Bridge&) {
    CHECK(Nodes::eventually([&] { return !events_of(world, {kPublicHintKind}).empty(); }));
  });
}

TEST_CASE("a relay that shows an older state does not bring a retracted hint back") {
  World world;
  std::mutex mutex;
  std::vector<nostr::Event> taken;    // guarded by mutex
  std::optional<nostr::Event> newer;  // guarded by mutex; what it shows
  std::atomic<bool> shown = false;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const nostr::ClientMessage& m) {
    const std::lock_guard lock(mutex);
    if (const auto* p = std::get_if<nostr::PublishRequest>(&m)) {
      taken.push_back(p->event);
      self.say(c, nostr::RelayMessage(nostr::OkMessage{p->event.id, true, ""}));
    } else if (const auto* req = std::get_if<nostr::ReqRequest>(&m)) {
      const bool asked = newer && nostr::matches(req->filters[0], *newer);
      if (asked) self.say(c, nostr::RelayMessage(nostr::EventMessage{req->subscription, *newer}));
      self.say(c, nostr::RelayMessage(nostr::EoseMessage{req->subscription}));
      shown = shown || asked;
    }
  });
  auto config = world.config("writer");
  config.relays = {relay.url()};
  const auto writer = *Client::open(config);
  REQUIRE(writer->publish(world.key, world.tree("one")));
  {
    const std::lock_guard lock(mutex);
    REQUIRE(taken.size() == 1);
    const nostr::Event& ours = taken[0];
    newer = nostr::sign_event(world.nostr_key,
                              {{ours.created_at.value + 1}, ours.kind, ours.tags, "no hint"});
  }
  REQUIRE(writer->retract(world.key.name()));
  REQUIRE(Nodes::eventually([&] { return shown.load(); }));
  // The answer to this comes after what was shown.
  REQUIRE(writer->retract(IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 9))->name()));
  const std::lock_guard lock(mutex);
  CHECK(std::count_if(taken.begin(), taken.end(),
                      [](const auto& event) { return event.kind == kHintKind; }) == 1);
}
