// Versions before the newest one, over real sockets.
#include "ipnscast/sync/state/history.h"

#include <atomic>

#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;
using Fate = HeardVersion::Fate;

namespace {

bool wait_for(const std::function<bool()>& holds) {
  const Instant deadline = std::chrono::steady_clock::now() + Seconds(200);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(Milliseconds(5));
  }
  return true;
}

// Publishes, and waits until the reader has heard of it.
void publish(World& world, Client& writer, Client& reader, const std::string& text) {
  const auto done = writer.publish(world.key, world.tree(text));
  REQUIRE(done);
  REQUIRE(wait_for([&] {
    const auto known = reader.history(world.key.name());
    return known && !known->empty() && known->front().version.sequence == done->sequence;
  }));
}

}  // namespace

TEST_CASE(
    "who wants every version gets those that came while the handler failed, after a restart") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  const IpnsName name = world.key.name();
  {
    auto reader = *Client::open(world.config("reader"));
    WatchOptions never;
    never.on_change = [](const Change&) { return Handled::retry(std::chrono::hours(1)); };
    never.every_version = true;
    REQUIRE(reader->watch(name, std::move(never)));
    for (const char* text : {"one", "two", "three"}) publish(world, *writer, *reader, text);
  }
  const auto kept = read_history(world.dir.path() / "reader", name, 10);
  REQUIRE(kept);
  REQUIRE(kept->size() == 3);
  CHECK(kept->front().fate == Fate::waiting);

  auto reader = *Client::open(world.config("reader"));
  Changes changes;
  WatchOptions all = changes.options();
  all.every_version = true;
  REQUIRE(reader->watch(name, std::move(all)));
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    const auto change = changes.next();
    REQUIRE(change);
    CHECK(change->sequence == Sequence{sequence});
    REQUIRE(change->cid);
    CHECK(*reader->blocks().get(*change->cid));
    CHECK_FALSE(change->replay);
  }
  REQUIRE(wait_for([&] { return reader->history(name)->front().fate == Fate::taken; }));
  for (const HeardVersion& one : *reader->history(name)) CHECK(one.fate == Fate::taken);
  CHECK(reader->history(name, 1)->size() == 1);
}

TEST_CASE("a replay hands old versions over once more, oldest first, and then what is new") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  const IpnsName name = world.key.name();
  auto reader = *Client::open(world.config("reader"));
  CHECK(reader->replay(name, {}).error().code == Errc::invalid);
  Changes changes;
  REQUIRE(reader->watch(name, changes.options()));
  CHECK(reader->replay(name, {}).error().code == Errc::not_found);
  for (const char* text : {"one", "two", "three"}) {
    publish(world, *writer, *reader, text);
    REQUIRE(changes.next());
  }
  REQUIRE(wait_for([&] { return reader->history(name)->front().fate == Fate::taken; }));
  const UnixMillis second = reader->history(name)->at(1).seen;
  CHECK(reader->replay(name, {second.value + 3'600'000}).error().code == Errc::not_found);
  REQUIRE(reader->replay(name, second));
  publish(world, *writer, *reader, "four");
  for (uint64_t sequence = 2; sequence <= 4; ++sequence) {
    const auto change = changes.next();
    REQUIRE(change);
    CHECK(change->sequence == Sequence{sequence});
    CHECK(change->replay == (sequence < 4));
    CHECK(change->cid);
  }
}

TEST_CASE("a version that the application got by itself is in the history as taken") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const IpnsName name = world.key.name();
  auto reader = *Client::open(world.config("reader"));
  const auto report = reader->resolve(name, Milliseconds(200'000));
  REQUIRE(report);
  REQUIRE(report->best);
  for (int i = 0; i < 2; ++i) REQUIRE(reader->take_in(name, *report->best));
  const auto known = *reader->history(name);
  REQUIRE(known.size() == 1);
  CHECK(known[0].version.sequence == Sequence{1});
  CHECK(known[0].fate == Fate::taken);
}
