#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/integration/sync/publish_fixture.h"
#include "ipnscast/tests/support/silent_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

// A node behind a slow line: each import takes its time.
std::optional<ScriptedAnswer> slowly(ScriptedNode& node, const ScriptedRequest& request) {
  if (!asks(request, "dag/import")) return std::nullopt;
  ScriptedAnswer answer = node.keeping.answer(request);
  answer.delay = Milliseconds(250);
  return answer;
}

std::filesystem::path big_file(const ScriptedWorld& world, size_t bytes) {
  const auto path = world.dir.path() / "big";
  const Bytes content = random_bytes(bytes);
  write_file(path, std::string(as_text(content)));
  return path;
}

}  // namespace

TEST_CASE(
    "content larger than the cache goes over a slow line for as long as bytes move, and how far it "
    "is can be seen (A9, A10)") {
  ScriptedWorld world;
  ScriptedNode* self = nullptr;
  ScriptedNode node([&](const ScriptedRequest& request) { return slowly(*self, request); });
  self = &node;
  Config config = world.config("writer", {&node});
  config.cache_bytes = 100'000;
  config.publish_timeout = Milliseconds(600);
  const auto path = big_file(world, 3'000'000);
  std::mutex mutex;
  std::vector<PublishProgress> steps;
  uint64_t packed = 0;
  auto client = *Client::open(std::move(config));
  PublishOptions options;
  options.on_packing = [&](uint64_t bytes) { packed = bytes; };
  options.on_progress = [&](const PublishProgress& now) {
    const std::lock_guard lock(mutex);
    steps.push_back(now);
  };

  SECTION("nobody named a time: there is no limit on the whole") {
    const auto outcome = client->publish(world.key, path, options);
    INFO((outcome ? std::string() : outcome.error().message));
    REQUIRE(outcome);
    CHECK(outcome->complete());
    CHECK(outcome->bytes >= 3'000'000);
    CHECK(packed >= 3'000'000);
    REQUIRE(steps.size() > 3);
    CHECK(steps.front().bytes == 0);
    CHECK(steps.back().bytes == steps.back().total);
    CHECK(node.keeping.pinned.count(outcome->cid.to_string()) == 1);
  }
  SECTION("the caller named a time: what is there by then is told, and is not sent again") {
    options.deadline = std::chrono::steady_clock::now() + Milliseconds(700);
    const auto late = client->publish(world.key, path, options);
    REQUIRE_FALSE(late);
    CHECK(late.error().code == Errc::timeout);
    const size_t before = node.server.count("dag/import");
    options.deadline.reset();
    const auto outcome = client->publish(world.key, path, options);
    REQUIRE(outcome);
    CHECK(outcome->complete());
    CHECK(before > 0);
  }
}

TEST_CASE("a relay that is not reached is told with the time that was waited for it (G2)") {
  ScriptedWorld world;
  const SilentServer silent;
  ScriptedNode node;
  Config config = world.config("writer", {&node});
  config.relays.push_back(*nostr::RelayUrl::parse(silent.url("ws")));
  config.publish_timeout = Milliseconds(800);
  auto client = *Client::open(std::move(config));
  const auto outcome = client->publish(world.key, world.tree("one"));
  REQUIRE(outcome);
  CHECK_FALSE(outcome->complete());
  const auto* row = find_place(*outcome, silent.url("ws"), Outcome::Place::What::hint);
  REQUIRE(row);
  CHECK_FALSE(row->ok);
  CHECK(row->took > Milliseconds(0));
}
