// IPNS over pubsub as an input of the bridge.
#include "ipnscast/bridge/bridge.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/tests/integration/bridge/pubsub_fixture.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::pubsub_test;

namespace {

// A bridge whose relay is away: what it announces is committed all the same.
struct BridgeFixture {
  std::unique_ptr<bridge::Bridge> open(int tier, bool pubsub) {
    bridge::BridgeOptions options;
    options.state_dir = state.path();
    options.relays = {*nostr::RelayUrl::parse("ws://127.0.0.1:1")};
    options.gateways = {{node.server.url(), tier, {}}};
    options.names = {key().name()};
    options.signer = nostr::make_local_signer(nostr::SecretKey::generate());
    options.poll_min = options.poll_max = std::chrono::hours(2);
    options.pubsub = pubsub;
    options.on_announced = [this](const bridge::Announcement& a) {
      announced.push_reserved(a.hint.sequence.value);
    };
    auto opened = bridge::Bridge::open(std::move(options));
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }
  uint64_t next() {
    const auto sequence = announced.pop_until(system_now().steady + kPatience);
    REQUIRE(sequence);
    return *sequence;
  }

  test::TempDir state;
  Node node;
  Inbox<uint64_t> announced{100};
};

}  // namespace

TEST_CASE("the bridge announces what a node of ours hears, though no poll is due (S0-29)") {
  BridgeFixture f;
  const auto bridge = f.open(1, true);
  wait_until([&] { return bridge->status().pubsub_topics == 1; });
  f.node.say(line(record(1, kOne)));
  CHECK(f.next() == 1);
  f.node.say(line(record(2, kTwo)));
  CHECK(f.next() == 2);
  f.node.say("junk\n" + line(record(1, kOne)));  // a rollback
  f.node.say(line(record(3, kTwo)));             // the same value again
  f.node.say(line(record(4, kOne)));
  CHECK(f.next() == 4);
  CHECK(f.announced.size() == 0);
  const auto status = bridge->status();
  CHECK(status.polls <= 1);
  CHECK(status.changes == 3);
  CHECK(status.refreshes == 1);
  CHECK(status.pubsub_messages == 6);
  CHECK(status.pubsub_records == 5);
  CHECK(status.pubsub_bad == 1);
  const auto counters = bridge->telemetry().counters;
  CHECK(std::count(counters.begin(), counters.end(),
                   std::pair<std::string, uint64_t>{"ipnscast_bridge_pubsub_records_total", 5}) ==
        1);
  const Instant before = system_now().steady;
  bridge->close();  // with the stream open
  CHECK(system_now().steady - before < Seconds(30));
}

TEST_CASE("public gateways are not asked for pubsub, nor is anybody when it is off (S0-29)") {
  BridgeFixture f;
  const auto [tier, pubsub] = GENERATE(std::pair{2, true}, std::pair{3, true}, std::pair{1, false});
  const auto bridge = f.open(tier, pubsub);
  wait_until([&] { return bridge->status().polls == 1; });
  CHECK(f.node.server.count("/pubsub/") == 0);
}
