// How a client of the C API ends, and what its threads may do beside each other.
#include <malloc.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "ipnscast/tests/integration/c_api/c_device.h"
#include "ipnscast/tests/support/own_process.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// A callback that waits until the test lets it go.
struct Held {
  ipnscast_client* client = nullptr;
  std::atomic<bool> inside = false;
  std::atomic<bool> may_go = false;
  std::atomic<bool> left = false;
};

void hold(const ipnscast_event* event, void* data) {
  auto& held = *static_cast<Held*>(data);
  held.inside = true;
  held.inside.notify_all();
  held.may_go.wait(false);
  ipnscast_acknowledge(held.client, event->id, IPNSCAST_APPLIED, 0);
  held.left = true;
}

struct Closing {
  COwned<ipnscast_client>* client = nullptr;
  bool frees = false;
  int calls = 0;
  int dispatch_inside = IPNSCAST_OK;
};

void close_inside(const ipnscast_event* event, void* data) {
  auto& closing = *static_cast<Closing*>(data);
  ipnscast_client* const client = closing.client->get();
  ++closing.calls;
  closing.dispatch_inside = ipnscast_dispatch(client, 0, nullptr);
  CHECK(ipnscast_acknowledge(client, event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_OK);
  if (closing.frees) {
    closing.client->reset();
    return;
  }
  ipnscast_close(client);
}

}  // namespace

TEST_CASE("after close every call says that the client is closed, and its descriptor is readable") {
  World world;
  const auto client = c_open(world, "one");
  c_follow(client, world);
  const std::string name = world.key.name().to_string();
  const auto key = c_key(world);
  ipnscast_close(client.get());
  ipnscast_close(client.get());
  ipnscast_event* event = nullptr;
  ipnscast_status* status = nullptr;
  ipnscast_losses* losses = nullptr;
  ipnscast_resolution* found = nullptr;
  ipnscast_client* const closed = client.get();
  CHECK(ipnscast_follow(closed, name.data(), name.size(), nullptr, nullptr, nullptr, nullptr) ==
        IPNSCAST_CLOSED);
  CHECK(ipnscast_unfollow(closed, name.data(), name.size(), nullptr) == IPNSCAST_CLOSED);
  CHECK(ipnscast_dispatch(closed, -1, nullptr) == IPNSCAST_CLOSED);
  CHECK(ipnscast_wait(closed, -1, &event) == IPNSCAST_CLOSED);
  CHECK(ipnscast_acknowledge(closed, 1, IPNSCAST_APPLIED, 0) == IPNSCAST_CLOSED);
  CHECK(ipnscast_publish(closed, key.get(), "/tmp", 4, nullptr, nullptr, nullptr) ==
        IPNSCAST_CLOSED);
  CHECK(ipnscast_resolve(closed, name.data(), name.size(), nullptr, &found, nullptr) ==
        IPNSCAST_CLOSED);
  CHECK(ipnscast_get(closed, "bafkqaaa", 8, "", 0, "/tmp/x", 6, nullptr, nullptr) ==
        IPNSCAST_CLOSED);
  CHECK(ipnscast_get_status(closed, &status, nullptr) == IPNSCAST_CLOSED);
  CHECK(ipnscast_lost(closed, name.data(), name.size(), &losses, nullptr) == IPNSCAST_CLOSED);
  CHECK(ipnscast_keep_alive(closed, key.get(), nullptr) == IPNSCAST_CLOSED);
  CHECK(ipnscast_fd(closed) >= 0);
  // The state directory is free again.
  c_open(world, "one");
}

TEST_CASE("closing waits for the callback that runs, and ends the threads that wait") {
  World world;
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  Held held;
  held.client = reader.get();
  c_follow(reader, world, hold, &held);
  c_publish(writer, world, world.tree("one"));
  int dispatched = IPNSCAST_OK;
  int waited = IPNSCAST_OK;
  std::thread dispatcher([&] {
    while (dispatched == IPNSCAST_OK) dispatched = ipnscast_dispatch(reader.get(), -1, nullptr);
  });
  std::thread waiter([&] {
    ipnscast_event* event = nullptr;
    waited = ipnscast_wait(reader.get(), -1, &event);
  });
  held.inside.wait(false);
  CHECK(ipnscast_dispatch(reader.get(), 0, nullptr) == IPNSCAST_BUSY);
  std::atomic<bool> closed = false;
  std::atomic<bool> left_before = false;
  std::thread closer([&] {
    ipnscast_close(reader.get());
    left_before = held.left.load();
    closed = true;
  });
  waiter.join();  // ended by the close that still waits
  CHECK(waited == IPNSCAST_CLOSED);
  CHECK_FALSE(closed);
  held.may_go = true;
  held.may_go.notify_all();
  closer.join();
  dispatcher.join();
  CHECK(left_before);
  CHECK(dispatched == IPNSCAST_CLOSED);
}

TEST_CASE("after unfollow the callback of the name is not called, and does not run any more") {
  World world;
  const auto writer = c_open(world, "writer");
  const auto reader = c_open(world, "reader");
  const std::string name = world.key.name().to_string();
  {
    Held held;
    held.client = reader.get();
    c_follow(reader, world, hold, &held);
    c_publish(writer, world, world.tree("one"));
    std::thread dispatcher([&] { ipnscast_dispatch(reader.get(), -1, nullptr); });
    held.inside.wait(false);
    std::thread lets_go([&] {
      held.may_go = true;
      held.may_go.notify_all();
    });
    CHECK(ipnscast_unfollow(reader.get(), name.data(), name.size(), nullptr) == IPNSCAST_OK);
    CHECK(held.left);
    lets_go.join();
    dispatcher.join();
  }
  c_publish(writer, world, world.tree("two"));
  c_follow(reader, world);
  // What it did not acknowledge comes again, unless the newer one is there already.
  auto event = c_wait(reader);
  REQUIRE(event);
  if (event->sequence == 1) {
    CHECK(ipnscast_acknowledge(reader.get(), event->id, IPNSCAST_APPLIED, 0) == IPNSCAST_OK);
    event = c_wait(reader);
    REQUIRE(event);
  }
  CHECK(event->sequence == 2);
}

TEST_CASE("a callback may close its client, or free it, and is not called again") {
  for (const bool frees : {false, true}) {
    World world;
    const auto writer = c_open(world, "writer");
    auto reader = c_open(world, "reader");
    Closing closing{&reader, frees};
    c_follow(reader, world, close_inside, &closing);
    c_publish(writer, world, world.tree("one"));
    ipnscast_client* const client = reader.get();
    CHECK(ipnscast_dispatch(client, -1, nullptr) == IPNSCAST_CLOSED);
    CHECK(closing.calls == 1);
    CHECK(closing.dispatch_inside == IPNSCAST_BUSY);
    // What it acknowledged before is committed: the next change is the next version.
    reader.reset();
    const auto again = c_open(world, "reader");
    c_follow(again, world);
    c_publish(writer, world, world.tree("two"));
    const auto event = c_wait(again);
    REQUIRE(event);
    CHECK(event->sequence == 2);
  }
}

TEST_CASE("a signal ends the waiting of the thread that it comes to") {
  World world;
  const auto client = c_open(world, "one");
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  std::atomic<int> code = -1;
  std::thread waiter([&] { code = ipnscast_dispatch(client.get(), -1, nullptr); });
  while (code < 0) {
    ::pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  waiter.join();
  CHECK(code == IPNSCAST_CANCELLED);
  REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
}

TEST_CASE("200 times opened, followed, closed and freed, a client leaves nothing behind") {
  World world;
  const auto config = c_config(world, "one");
  const auto round = [&] {
    const auto client = c_open(config);
    c_follow(client, world);
    ipnscast_status* status = nullptr;
    REQUIRE(ipnscast_get_status(client.get(), &status, nullptr) == IPNSCAST_OK);
    ipnscast_status_free(status);
  };
  for (int i = 0; i < 20; ++i) round();
  const size_t descriptors = count_of_own("fd");
  const size_t threads = count_of_own("task");
  const size_t bytes = ::mallinfo2().uordblks;
  for (int i = 0; i < 200; ++i) round();
  // The relay's side of the last connection may be a moment behind.
  for (int i = 0; i < 500 && count_of_own("fd") > descriptors; ++i)
    std::this_thread::sleep_for(Milliseconds(20));
  CHECK(count_of_own("fd") <= descriptors);
  CHECK(count_of_own("task") <= threads);
  const size_t now = ::mallinfo2().uordblks;
  INFO(bytes << " bytes, then " << now);
  CHECK(now < bytes + size_t{200} * 1'024);
}
