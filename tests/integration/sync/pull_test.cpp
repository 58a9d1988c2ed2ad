// Changes that are pulled by the application instead of handed to its handler.
#include <poll.h>

#include <thread>

#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

Result<TakenChange> next(Client& client) {
  return client.next_change({}, std::chrono::steady_clock::now() + Seconds(200));
}

bool readable(Client& client, int milliseconds) {
  const auto fd = client.event_fd();
  REQUIRE(fd);
  pollfd one{*fd, POLLIN, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE(
    "an application with its own loop takes changes when the descriptor says so, also what it did "
    "not acknowledge before a restart (S0-54, S0-63)") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const WatchOptions pull{.pull = true};
  {
    auto reader = *Client::open(world.config("reader"));
    CHECK_FALSE(readable(*reader, 0));
    REQUIRE(reader->watch(world.key.name(), pull));
    REQUIRE(readable(*reader, 200'000));
    const auto first = next(*reader);
    REQUIRE(first);
    CHECK(first->change.sequence == Sequence{1});
    CHECK_FALSE(readable(*reader, 0));
    const auto none = reader->next_change({}, std::chrono::steady_clock::now());
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::timeout);
  }
  {
    auto reader = *Client::open(world.config("reader"));
    REQUIRE(reader->watch(world.key.name(), pull));
    const auto again = next(*reader);
    REQUIRE(again);
    CHECK(again->change.sequence == Sequence{1});
    REQUIRE(reader->acknowledge(again->id));
    const auto twice = reader->acknowledge(again->id);
    REQUIRE_FALSE(twice);
    CHECK(twice.error().code == Errc::not_found);
  }
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(world.key.name(), pull));
  REQUIRE(writer->publish(world.key, world.tree("two")));
  const auto second = next(*reader);
  REQUIRE(second);
  CHECK(second->change.sequence == Sequence{2});
  REQUIRE(reader->acknowledge(second->id, Handled::reject("no good")));
  REQUIRE(writer->publish(world.key, world.tree("three")));
  const auto third = next(*reader);
  REQUIRE(third);
  CHECK(third->change.sequence == Sequence{3});
  CHECK(third->change.previous != second->change.cid);
  reader->close();
  CHECK(reader->acknowledge(third->id).error().code == Errc::closed);
  CHECK(reader->next_change().error().code == Errc::closed);
}

TEST_CASE("what was taken and not acknowledged in time comes again, and the late word is refused") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  auto config = world.config("reader");
  config.handler_timeout = Milliseconds(300);
  auto reader = *Client::open(config);
  REQUIRE(reader->watch(world.key.name(), {.pull = true}));
  const auto first = next(*reader);
  REQUIRE(first);
  CHECK(first->change.attempt == 1);
  const auto second = next(*reader);
  REQUIRE(second);
  CHECK(second->change.attempt == 2);
  CHECK(second->change.sequence == Sequence{1});
  const auto late = reader->acknowledge(first->id);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::not_found);
}

TEST_CASE("closing wakes those who wait for a change, and a stop ends one wait") {
  World world;
  auto reader = *Client::open(world.config("reader"));
  std::stop_source stop;
  stop.request_stop();
  CHECK(reader->next_change(stop.get_token()).error().code == Errc::cancelled);
  std::optional<Errc> ended;
  std::thread waiting([&] {
    const auto taken = reader->next_change();
    if (!taken) ended = taken.error().code;
  });
  reader->close();
  waiting.join();
  CHECK(ended == Errc::closed);
  CHECK(reader->watch(world.key.name(), {.pull = true}).error().code == Errc::closed);
}
