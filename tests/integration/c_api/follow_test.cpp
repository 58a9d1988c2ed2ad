// Following and publishing through the C API, over loopback.
#include <poll.h>

#include <atomic>
#include <thread>

#include "ipnscast/tests/integration/c_api/c_device.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// What a callback was called with. It applies each change.
struct Called {
  ipnscast_client* client = nullptr;
  std::vector<uint64_t> sequences{};
  std::vector<std::string> values{};
  std::vector<std::thread::id> threads{};
  int answer = IPNSCAST_APPLIED;
};

void remember(const ipnscast_event* event, void* data) {
  auto& called = *static_cast<Called*>(data);
  called.sequences.push_back(event->sequence);
  called.values.push_back(text_of(event->value));
  called.threads.push_back(std::this_thread::get_id());
  CHECK(ipnscast_acknowledge(called.client, event->id, called.answer, 0) == IPNSCAST_OK);
}

bool readable(int fd, int timeout_ms) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) == 1;
}

}  // namespace

TEST_CASE(
    "a program in C is called with each change on the thread that dispatches, and its descriptor "
    "says when (S0-26)") {
  World world;
  Called called;
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  called.client = reader.get();
  c_follow(reader, world, remember, &called);
  const int fd = ipnscast_fd(reader.get());
  REQUIRE(fd >= 0);
  CHECK_FALSE(readable(fd, 0));

  uint64_t number = 0;
  for (const std::string text : {"one", "two", "three"}) {
    const auto outcome = c_publish(writer, world, world.tree(text));
    CHECK(outcome->quorum_met == 1);
    CHECK(outcome->complete == 1);
    CHECK(outcome->sequence == ++number);
    REQUIRE(outcome->place_count >= 3);
    for (size_t i = 0; i < outcome->place_count; ++i) {
      INFO(text_of(outcome->places[i]->url) << " " << text_of(outcome->places[i]->detail));
      CHECK(outcome->places[i]->ok == 1);
    }
    while (called.sequences.size() < number) {
      REQUIRE(readable(fd, 200'000));
      size_t count = 0;
      REQUIRE(ipnscast_dispatch(reader.get(), 0, &count) == IPNSCAST_OK);
    }
    CHECK(called.sequences.back() == number);
    CHECK(called.values.back() == "/ipfs/" + text_of(outcome->cid));
    CHECK(called.threads.back() == std::this_thread::get_id());
  }
  CHECK(called.sequences.size() == 3);
  size_t count = 7;
  CHECK(ipnscast_dispatch(reader.get(), 0, &count) == IPNSCAST_OK);
  CHECK(count == 0);
}

TEST_CASE("a program that waits gets every word of a change, and reads its content") {
  World world;
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  c_follow(reader, world);
  const auto first = c_publish(writer, world, world.tree("one"));
  {
    const auto event = c_wait(reader);
    REQUIRE(event);
    CHECK(event->struct_size == sizeof(ipnscast_event));
    CHECK(event->kind == IPNSCAST_KIND_CHANGE);
    CHECK(event->source == IPNSCAST_SOURCE_NOSTR);
    CHECK(text_of(event->name) == world.key.name().to_string());
    CHECK(event->sequence == 1);
    CHECK(text_of(event->cid) == text_of(first->cid));
    CHECK(text_of(event->previous).empty());
    CHECK(text_of(event->author) == to_hex(world.nostr_key.public_key().view()));
    CHECK(event->attempt == 1);
    CHECK(std::abs(event->seen_ms - system_now().wall.value) < 3'600'000);
    CHECK(ipnscast_acknowledge(reader.get(), event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_OK);
    CHECK(ipnscast_acknowledge(reader.get(), event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_NOT_FOUND);
    const auto target = world.dir.path() / "copy.txt";
    CHECK(ipnscast_get(reader.get(), event->cid.data, event->cid.size, "sub/other.txt",
                       IPNSCAST_NUL, target.c_str(), IPNSCAST_NUL, nullptr,
                       nullptr) == IPNSCAST_OK);
    CHECK(read_file(target) == "one too");
  }
  c_publish(writer, world, world.tree("two"));
  const auto event = c_wait(reader);
  REQUIRE(event);
  CHECK(event->sequence == 2);
  CHECK(text_of(event->previous) == text_of(first->cid));
}

TEST_CASE(
    "a change that a program wants later comes again with the number of the attempt, one that it "
    "rejects does not (R6)") {
  World world;
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  c_follow(reader, world);
  c_publish(writer, world, world.tree("one"));
  const auto first = c_wait(reader);
  REQUIRE(first);
  const Instant asked = std::chrono::steady_clock::now();
  CHECK(ipnscast_acknowledge(reader.get(), first->id, IPNSCAST_RETRY, 2'500) == IPNSCAST_OK);
  const auto again = c_wait(reader);
  REQUIRE(again);
  CHECK(std::chrono::steady_clock::now() - asked >= Milliseconds(2'500));
  CHECK(again->sequence == 1);
  CHECK(again->attempt == 2);
  CHECK(again->id != first->id);
  CHECK(ipnscast_acknowledge(reader.get(), first->id, IPNSCAST_APPLIED, 0) == IPNSCAST_NOT_FOUND);
  CHECK(ipnscast_acknowledge(reader.get(), again->id, IPNSCAST_REJECT, 0) == IPNSCAST_OK);
  c_publish(writer, world, world.tree("two"));
  const auto next = c_wait(reader);
  REQUIRE(next);
  CHECK(next->sequence == 2);
  CHECK(next->attempt == 1);
}

TEST_CASE(
    "what a program has not acknowledged when it ends comes again in its next run, what it has "
    "does not (R6 R8)") {
  World world;
  const auto writer = c_open(world, "writer");
  c_publish(writer, world, world.tree("one"));
  {
    const auto reader = c_open(world, "reader");
    c_follow(reader, world);
    REQUIRE(c_wait(reader));
  }
  {
    const auto reader = c_open(world, "reader");
    c_follow(reader, world);
    const auto event = c_wait(reader);
    REQUIRE(event);
    CHECK(event->sequence == 1);
    CHECK(ipnscast_acknowledge(reader.get(), event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_OK);
  }
  const auto reader = c_open(world, "reader");
  c_follow(reader, world);
  c_publish(writer, world, world.tree("two"));
  const auto event = c_wait(reader);
  REQUIRE(event);
  CHECK(event->sequence == 2);
}

TEST_CASE("a change that nobody acknowledges in time is taken back and comes again") {
  World world;
  const auto config = c_config(world, "reader");
  set(config, "handover.handler_timeout", "1s");
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(config);
  c_follow(reader, world);
  c_publish(writer, world, world.tree("one"));
  const auto first = c_wait(reader);
  REQUIRE(first);
  const auto again = c_wait(reader);
  REQUIRE(again);
  CHECK(again->sequence == 1);
  CHECK(again->attempt == 2);
  CHECK(ipnscast_acknowledge(reader.get(), first->id, IPNSCAST_APPLIED, 0) == IPNSCAST_NOT_FOUND);
}

TEST_CASE(
    "names with a callback and names without one share a client, and each event has one way") {
  World world;
  Called called;
  const sync::IpnsKey other = *sync::IpnsKey::from_nostr_secret(world.nostr_key.secret_view());
  const std::string other_name = other.name().to_string();
  const auto writer = *sync::Client::open(world.config("writer"));
  const auto reader = c_open(world, "reader");
  called.client = reader.get();
  c_follow(reader, world, remember, &called);
  REQUIRE(ipnscast_follow(reader.get(), other_name.c_str(), IPNSCAST_NUL, nullptr, nullptr, nullptr,
                          nullptr) == IPNSCAST_OK);
  REQUIRE(writer->publish(other, world.tree("other")));
  REQUIRE(readable(ipnscast_fd(reader.get()), 200'000));
  CHECK(ipnscast_dispatch(reader.get(), 0, nullptr) == IPNSCAST_OK);
  CHECK(called.sequences.empty());
  REQUIRE(writer->publish(world.key, world.tree("one")));
  while (called.sequences.empty())
    REQUIRE(ipnscast_dispatch(reader.get(), 200'000, nullptr) == IPNSCAST_OK);
  const auto event = c_wait(reader, 0);
  REQUIRE(event);
  CHECK(text_of(event->name) == other_name);
  CHECK_FALSE(c_wait(reader, 0));
}

TEST_CASE("a program resolves, announces, asks for the status and for what was lost") {
  World world;
  const std::string name = world.key.name().to_string();
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  c_follow(reader, world);
  ipnscast_resolution* none = nullptr;
  CHECK(ipnscast_resolve(reader.get(), name.c_str(), IPNSCAST_NUL, nullptr, &none, nullptr) ==
        IPNSCAST_NOT_FOUND);
  CHECK(none == nullptr);
  const auto outcome = c_publish(writer, world, world.tree("one"));
  const auto event = c_wait(reader);
  REQUIRE(event);
  CHECK(ipnscast_acknowledge(reader.get(), event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_OK);

  ipnscast_resolution* found = nullptr;
  REQUIRE(ipnscast_resolve(reader.get(), name.c_str(), IPNSCAST_NUL, nullptr, &found, nullptr) ==
          IPNSCAST_OK);
  const COwned<ipnscast_resolution> resolution(found);
  CHECK(resolution->sequence == 1);
  CHECK(text_of(resolution->cid) == text_of(outcome->cid));
  CHECK(resolution->expired == 0);
  CHECK(text_of(resolution->valid_until).size() >= 20);
  CHECK(resolution->answered_count >= 2);

  ipnscast_status* known = nullptr;
  REQUIRE(ipnscast_get_status(reader.get(), &known, nullptr) == IPNSCAST_OK);
  const COwned<ipnscast_status> status(known);
  REQUIRE(status->name_count == 1);
  CHECK(text_of(status->names[0]->name) == name);
  CHECK(status->names[0]->sequence == 1);
  REQUIRE(status->place_count >= 3);
  CHECK(text_of(status->places[0]->url) == world.relay->url());

  const ipnscast_text cid = outcome->cid;
  ipnscast_outcome* hint = nullptr;
  REQUIRE(ipnscast_announce(writer.get(), name.c_str(), IPNSCAST_NUL, cid.data, cid.size, 1, 0,
                            &hint, nullptr) == IPNSCAST_OK);
  const COwned<ipnscast_outcome> announced(hint);
  CHECK(announced->quorum_met == 1);

  ipnscast_losses* lost = nullptr;
  REQUIRE(ipnscast_lost(writer.get(), name.c_str(), IPNSCAST_NUL, &lost, nullptr) == IPNSCAST_OK);
  CHECK(COwned<ipnscast_losses>(lost)->count == 0);
  CHECK(ipnscast_acknowledge_lost(writer.get(), name.c_str(), IPNSCAST_NUL, nullptr) ==
        IPNSCAST_NOT_FOUND);
}

TEST_CASE("a publish on top of what was not taken in is a conflict, and what was lost is listed") {
  World world;
  const std::string name = world.key.name().to_string();
  const auto one = c_open(world, "one");
  const auto two = c_open(world, "two");
  c_publish(one, world, world.tree("one"));
  ipnscast_outcome* out = nullptr;
  CError error;
  const auto path = world.tree("two");
  const auto publish = [&](const ipnscast_publish_options& options) {
    return ipnscast_publish(two.get(), c_key(world).get(), path.c_str(), IPNSCAST_NUL, &options,
                            &out, error.out());
  };
  ipnscast_publish_options options = IPNSCAST_PUBLISH_OPTIONS_INIT;
  CHECK(publish(options) == IPNSCAST_CONFLICT);
  CHECK(out == nullptr);
  CHECK(ipnscast_error_code(error.error) == IPNSCAST_CONFLICT);
  CHECK_FALSE(error.message().empty());
  options.has_expected = 1;
  options.expected_sequence = 7;
  CHECK(publish(options) == IPNSCAST_CONFLICT);
  options = IPNSCAST_PUBLISH_OPTIONS_INIT;
  options.replace = 1;
  REQUIRE(publish(options) == IPNSCAST_OK);
  CHECK(COwned<ipnscast_outcome>(out)->sequence == 2);
}
