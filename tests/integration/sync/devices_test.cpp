// Devices that share a key know of each other, and of what the others have taken in.
#include <thread>

#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

struct Devices : World {
  Config device(const std::string& name) const {
    Config out = config(name);
    out.announce_device = true;
    out.device_name = name;
    return out;
  }
  std::unique_ptr<Client> open(const std::string& name) const {
    return *Client::open(device(name));
  }
  static Instant soon() { return std::chrono::steady_clock::now() + Seconds(200); }
  // Until the relays have so many.
  static std::vector<Device> wait_for(Client& client, size_t count) {
    for (const Instant end = soon(); std::chrono::steady_clock::now() < end;) {
      const auto devices = client.devices(end);
      REQUIRE(devices);
      if (devices->size() >= count) return *devices;
      std::this_thread::sleep_for(Milliseconds(10));
    }
    FAIL("the devices are not told of");
    return {};
  }
};

std::optional<Device> named(const std::vector<Device>& all, const std::string& name) {
  const auto it = std::ranges::find_if(all, [&](const Device& one) { return one.name == name; });
  return it == all.end() ? std::nullopt : std::optional(*it);
}

}  // namespace

TEST_CASE(
    "devices of one key find each other by name, and receipts say what each has taken in (S3-05, "
    "S3-06, S3-26)") {
  Devices world;
  Changes changes;  // outlives those who tell it
  auto laptop = world.open("laptop");
  auto desk = world.open("desk");
  auto silent = *Client::open([&] {
    Config config = world.config("silent");
    config.announce_device = false;
    return config;
  }());
  const auto both = Devices::wait_for(*laptop, 2);
  REQUIRE(both.size() == 2);
  REQUIRE(named(both, "desk"));
  CHECK_FALSE(named(both, "desk")->own);
  CHECK(named(both, "laptop")->own);
  CHECK(named(both, "laptop")->platform.find("Linux") == 0);
  // Who is silent sees the others.
  CHECK(Devices::wait_for(*silent, 2).size() == 2);
  const auto outcome = laptop->publish(world.key, world.tree("one"));
  REQUIRE(outcome);
  const Version one{outcome->sequence, value_of(outcome->cid)};
  const auto none = laptop->wait_applied(world.key.name(), one, 1,
                                         std::chrono::steady_clock::now() + Milliseconds(300));
  REQUIRE(none);
  CHECK(none->empty());
  REQUIRE(desk->watch(world.key.name(), changes.options()));
  REQUIRE(changes.next());
  const auto applied = laptop->wait_applied(world.key.name(), one, 1, Devices::soon());
  REQUIRE(applied);
  REQUIRE(applied->size() == 1);
  CHECK(applied->front().name == "desk");
  // The publisher has it, too.
  const auto all = desk->wait_applied(world.key.name(), one, 1, Devices::soon());
  REQUIRE(all);
  CHECK(named(*all, "laptop"));
  // What follows is told every two seconds at most, and the latest is not left out.
  for (int i = 0; i < 5; ++i) REQUIRE(laptop->publish(world.key, world.tree(std::to_string(i))));
  const auto latest = desk->wait_applied(world.key.name(), {Sequence{5}, ""}, 1, Devices::soon());
  REQUIRE(latest);
  CHECK_FALSE(latest->empty());
}

TEST_CASE("what was taken in is told after a restart, and by relays that were away (S3-02)") {
  Devices world;
  Changes changes;
  Changes more;
  auto laptop = world.open("laptop");
  auto desk = world.open("desk");
  REQUIRE(desk->watch(world.key.name(), changes.options()));
  const auto outcome = laptop->publish(world.key, world.tree("one"));
  REQUIRE(outcome);
  REQUIRE(changes.next());
  const Version one{outcome->sequence, value_of(outcome->cid)};
  REQUIRE(laptop->wait_applied(world.key.name(), one, 1, Devices::soon())->size() == 1);
  // The relay comes back without a memory.
  const uint16_t port = world.relay->port();
  const Config config = world.device("desk");
  desk.reset();
  world.relay.reset();
  desk = *Client::open(config);
  REQUIRE(desk->watch(world.key.name(), more.options()));
  world.relay = *nostr::server::RelayServer::start(*world.loop, {.port = port});
  const auto again = laptop->wait_applied(world.key.name(), one, 1, Devices::soon());
  REQUIRE(again);
  REQUIRE(again->size() == 1);
  CHECK(again->front().name == "desk");
}

TEST_CASE("devices are asked for in bounded time, and not without a key or relays") {
  Devices world;
  Config config = world.config("one");
  SECTION("no relay answers") {
    config.relays = {*nostr::RelayUrl::parse("ws://127.0.0.1:1")};
    const auto client = *Client::open(config);
    const auto start = std::chrono::steady_clock::now();
    const auto none = client->devices(start + Milliseconds(200));
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::timeout);
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = client->devices(Devices::soon(), stop.get_token());
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == Errc::cancelled);
  }
  SECTION("no relays") {
    config.relays.clear();
    const auto none = (*Client::open(config))->devices(Devices::soon());
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::invalid);
  }
}
