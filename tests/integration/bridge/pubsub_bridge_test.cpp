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
  using Change = std::function<void(bridge::BridgeOptions&)>;
  std::unique_ptr<bridge::Bridge> open(
      int tier, bool pubsub, const Change& change = [](auto&) {}) {
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
    change(options);
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
  bridge->close();  // does not wait for the stream, which is open
}

TEST_CASE("public gateways are not asked for pubsub, nor is anybody when it is off (S0-29)") {
  BridgeFixture f;
  const auto [tier, pubsub] = GENERATE(std::pair{2, true}, std::pair{3, true}, std::pair{1, false});
  const auto bridge = f.open(tier, pubsub);
  wait_until([&] { return bridge->status().polls == 1; });
  CHECK(f.node.server.count("/pubsub/") == 0);
}

TEST_CASE("a name is checked again and again at the RPC of a Kubo node on this machine (S0-40)") {
  CHECK(bridge::BridgeOptions{}.poll_min == Seconds(5));
  CHECK(bridge::BridgeOptions{}.resolve_timeout == Seconds(5));
  BridgeFixture f;
  f.node.hold(record(1, kTwo));
  const std::string url = f.node.server.url();
  const auto bridge = f.open(1, false, [&](bridge::BridgeOptions& options) {
    options.gateways = {{"http://localhost" + url.substr(url.rfind(':')), 1, {}}};
    options.poll_min = options.poll_max = Milliseconds(20);
  });
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    f.node.hold(record(sequence, sequence % 2 == 0 ? kOne : kTwo));
    CHECK(f.next() == sequence);
  }
  CHECK(f.node.server.count("/api/v0/name/get") >= 3);
}

TEST_CASE(
    "a check that hangs ends after the time for resolving, and the next one finds the change "
    "(S0-40)") {
  BridgeFixture f;
  f.node.hangs = true;
  const auto bridge = f.open(1, false, [](bridge::BridgeOptions& options) {
    options.poll_min = options.poll_max = Milliseconds(20);
    options.answer_by = Milliseconds(50);
    options.resolve_timeout = Milliseconds(100);
    options.slow_listen = std::chrono::hours(1);
    options.breaker = options.not_found_cache = Milliseconds(20);
  });
  wait_until([&] { return bridge->status().failed_polls >= 1; });
  f.node.hold(record(1, kOne));
  f.node.hangs = false;
  CHECK(f.next() == 1);
}

TEST_CASE("that resolving fails is told, and the watcher goes on until it does not (S0-45)") {
  const Logged logged("bridge");
  BridgeFixture f;
  f.node.fails = true;
  const auto bridge = f.open(1, false, [](bridge::BridgeOptions& options) {
    options.poll_min = options.poll_max = Milliseconds(20);
    options.breaker = options.not_found_cache = Milliseconds(20);
  });
  wait_until([&] { return logged.has("no gateway has answered"); });
  CHECK(bridge->status().failed_polls > 1);
  f.node.hold(record(1, kOne));
  f.node.fails = false;
  CHECK(f.next() == 1);
  wait_until([&] { return logged.has("a gateway answers again"); });
}
