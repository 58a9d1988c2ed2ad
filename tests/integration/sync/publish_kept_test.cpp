// What a publisher keeps because nobody else may have it, and what that costs (R33).
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/integration/sync/publish_fixture.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

constexpr uint64_t kCache = 100'000;

bool whole(Client& client, const Cid& root) {
  const auto walked =
      walk_dag(client.blocks(), root, {}, [](const Cid&, ByteView) { return Status{}; });
  return walked && walked->is_complete();
}

// Two devices with one key, and small caches.
struct Devices : World {
  Config config(const std::string& device) const {
    Config out = World::config(device);
    out.cache_bytes = kCache;
    out.versions = 0;
    out.poll_min = out.poll_max = out.poll_healthy = Milliseconds(200);
    return out;
  }
  // Of so many bytes that nothing else has in common.
  std::filesystem::path file(size_t bytes) const {
    const auto path = dir.path() / to_hex(random_bytes(8));
    write_file(path, std::string(as_text(random_bytes(bytes))));
    return path;
  }
  // `device` published so many bytes, and another device went over it.
  Cid lose(const std::string& device, size_t bytes, PublishOptions how = {}) const {
    Cid lost;
    {
      const auto first = *Client::open(config(device));
      const auto ours = first->publish(key, file(bytes), how);
      REQUIRE(ours);
      lost = ours->cid;
    }
    const auto other = *Client::open(config("the other"));
    REQUIRE(other->publish(key, file(10), {.replace = true}));
    return lost;
  }
  // The client hears what became of its publish.
  void hear(Client& client, size_t many) const {
    Changes changes;
    auto options = changes.options();
    options.takes_in = true;
    REQUIRE(client.watch(key.name(), std::move(options)));
    REQUIRE(changes.next(ChangeKind::lost));
    client.unwatch(key.name());
    CHECK(client.lost(key.name()).size() == many);
  }
  // Fetches three times of what the cache may have.
  void use(Client& client) const {
    const auto more = *Client::open(World::config("a stranger"));
    const IpnsKey their_key = *IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view());
    for (int i = 0; i < 6; ++i) {
      const auto content = more->publish(their_key, file(kCache / 2));
      REQUIRE(content);
      REQUIRE(client.get(content->cid, "", dir.path() / to_hex(random_bytes(8))));
    }
  }
};

}  // namespace

TEST_CASE("a tree larger than the cache is published whole") {
  const Devices world;
  const auto client = *Client::open(world.config("first"));
  const auto outcome = client->publish(world.key, world.file(10 * kCache));
  REQUIRE(outcome);
  CHECK(outcome->complete());
  const auto reader = *Client::open(world.World::config("reader"));
  CHECK(reader->get(outcome->cid, "", world.dir.path() / "out"));
}

TEST_CASE("content that was displaced stays here until it is struck off (R33)") {
  const Devices world;
  const Cid lost = world.lose("first", kCache);
  auto client = *Client::open(world.config("first"));
  world.hear(*client, 1);
  // What this device publishes after that deals with it no more than what others do.
  REQUIRE(client->publish(world.key, world.file(10), {.replace = true}));
  world.use(*client);
  CHECK(whole(*client, lost));
  client = nullptr;
  client = *Client::open(world.config("first"));
  world.use(*client);
  CHECK(whole(*client, lost));
  REQUIRE(client->acknowledge_lost(world.key.name()));
  world.use(*client);
  CHECK_FALSE(whole(*client, lost));
}

TEST_CASE("when displaced content has reached its bound, nothing is published over it (R33)") {
  const Devices world;
  const Cid lost = world.lose("first", 10'000);
  auto config = world.config("first");
  config.kept_bytes = 10'000;
  const auto client = *Client::open(config);
  world.hear(*client, 1);
  const auto more = world.file(100);
  const auto refused = client->publish(world.key, more, {.replace = true});
  REQUIRE_FALSE(refused);
  INFO(refused.error().message);
  CHECK(refused.error().code == Errc::refused);
  for (const std::string& word : {world.key.name().to_string(), std::string("history NAME --lost"),
                                  std::string("forget NAME --lost"), std::string("handover.kept")})
    CHECK(refused.error().message.find(word) != std::string::npos);
  // Under other names neither.
  const IpnsKey another = *IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view());
  CHECK(client->publish(another, more).error().code == Errc::refused);
  SECTION("it is struck off") { REQUIRE(client->acknowledge_lost(world.key.name())); }
  SECTION("it is published again") {
    REQUIRE(client->publish_cid(world.key, lost, {.replace = true}));
    CHECK(client->lost(world.key.name()).empty());
  }
  CHECK(client->publish(world.key, more, {.replace = true}));
}

TEST_CASE("displaced content below its bound is in nobody's way (R33)") {
  const Devices world;
  world.lose("first", 10'000);
  auto config = world.config("first");
  config.kept_bytes = 20'000;
  const auto client = *Client::open(config);
  world.hear(*client, 1);
  CHECK(client->publish(world.key, world.file(50'000), {.replace = true}));
}

TEST_CASE("what is perhaps displaced makes room, and keeps nobody from publishing (R33)") {
  const Devices world;
  const Cid perhaps = world.lose("first", 10'000);
  // A record that does not say what it was made of, as Kubo's.
  {
    auto config = world.config("the other");
    config.publish_vector = false;
    const auto other = *Client::open(config);
    REQUIRE(other->publish(world.key, world.file(10)));
  }
  auto config = world.config("first");
  config.kept_bytes = 9'999;
  const auto client = *Client::open(config);
  world.hear(*client, 1);
  REQUIRE_FALSE(client->lost(world.key.name()).front().certain);
  CHECK(client->publish(world.key, world.file(100), {.replace = true}));
  REQUIRE(client->lost(world.key.name()).size() == 1);
  world.use(*client);
  CHECK_FALSE(whole(*client, perhaps));
}

TEST_CASE("one publish of any size is queued, and more while there is room (R33)") {
  ScriptedWorld world;
  ScriptedNode node([](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (!asks(request, "dag/import") && !asks(request, "block/put")) return std::nullopt;
    return KeepingNode::error("disk full");
  });
  auto config = world.config("first", {&node});
  config.cache_bytes = 1'000;
  config.kept_bytes = 50'000;
  const PublishOptions queue{.force = true, .queue = true};
  const auto tree = [&](size_t bytes) {
    const auto path = world.dir.path() / to_hex(random_bytes(8));
    write_file(path, std::string(as_text(random_bytes(bytes))));
    return path;
  };
  const auto another = [] {
    return *IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view());
  };
  auto client = *Client::open(config);
  const bool large = GENERATE(true, false);
  const auto one = client->publish(world.key, tree(large ? 200'000 : 20'000), queue);
  REQUIRE(one);
  CHECK(one->queued);
  if (GENERATE(true, false)) {  // another run knows of it too
    client = nullptr;
    client = *Client::open(config);
  }
  const auto two = client->publish(another(), tree(20'000), queue);
  CHECK(two.has_value() == !large);
  const auto three = client->publish(another(), tree(20'000), queue);
  REQUIRE_FALSE(three);
  INFO(three.error().message);
  CHECK(three.error().code == Errc::refused);
  CHECK(three.error().message.find("handover.kept") != std::string::npos);
  // Neither counts in the cache, and nothing of it goes.
  CHECK(whole(*client, one->cid));
  if (two) CHECK(whole(*client, two->cid));
}

TEST_CASE("what a node has got makes room for what is queued next (R33)") {
  ScriptedWorld world;
  std::atomic<bool> full = true;
  ScriptedNode node([&](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (!full || (!asks(request, "dag/import") && !asks(request, "block/put"))) return std::nullopt;
    return KeepingNode::error("disk full");
  });
  auto config = world.config("first", {&node});
  config.kept_bytes = 1'000;
  config.breaker_failures = 1'000;
  const PublishOptions queue{.force = true, .queue = true};
  const auto client = *Client::open(config);
  const auto tree = [&](const std::string& name) {
    write_file(world.dir.path() / name, std::string(as_text(random_bytes(2'000))));
    return world.dir.path() / name;
  };
  const IpnsKey another = *IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view());
  REQUIRE(client->publish(world.key, tree("one"), queue));
  CHECK(client->publish(another, tree("two"), queue).error().code == Errc::refused);
  full = false;
  const Instant end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto brought = [&] {
    const std::lock_guard lock(node.keeping.mutex);
    return !node.keeping.pinned.empty();
  };
  while (!brought() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(Milliseconds(20));
  REQUIRE(brought());
  full = true;
  Result<Outcome> three = fail(Errc::refused, "");
  while (!three && std::chrono::steady_clock::now() < end)
    three = client->publish(another, tree("three"), queue);
  INFO((three ? "" : three.error().message));
  CHECK(three);
}
