// How long calls wait for those who do not answer.
#include "ipnscast/tests/integration/sync/publish_nodes.h"
#include "ipnscast/tests/support/silent_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE("publish, announce and retract wait until the deadline of the call, if it has one") {
  Nodes world(1);
  const SilentServer silent;
  auto config = world.config("writer");
  config.relays = {*nostr::RelayUrl::parse(silent.url("ws"))};
  config.publish_timeout = std::chrono::hours(1);
  const auto writer = *Client::open(config);
  const auto soon = [] { return std::chrono::steady_clock::now() + Milliseconds(300); };
  const Instant start = std::chrono::steady_clock::now();
  const auto published = writer->publish(world.key, world.tree("one"), {.deadline = soon()});
  REQUIRE(published);
  CHECK(published->relays_acknowledged == 0);
  const auto announced = writer->announce(world.key.name(), published->cid, published->sequence, {},
                                          {}, false, soon());
  REQUIRE(announced);
  CHECK(announced->relays_acknowledged == 0);
  const auto retracted = writer->retract(world.key.name(), {}, soon());
  REQUIRE(retracted);
  CHECK(retracted->relays_acknowledged == 0);
  // Each of them would have taken an hour.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::minutes(20));
}
