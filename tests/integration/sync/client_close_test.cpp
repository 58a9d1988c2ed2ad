// How a client ends: closed by anybody, beside anything.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::Changes;
using ipnscast::test::World;

namespace {

// Takes connections and never says anything.
class MutePort {
 public:
  MutePort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(fd_, 4096) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~MutePort() { ::close(fd_); }
  MutePort(const MutePort&) = delete;
  MutePort& operator=(const MutePort&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  uint16_t port_ = 0;
};

// One whose calls take as long as they are let.
Config patient(const test::TempDir& dir, const MutePort& port) {
  Config out;
  out.state_dir = dir.path() / "state";
  out.gateways = {{port.url()}};
  out.answer_by = Milliseconds(60'000);
  out.listen = Milliseconds(60'000);
  return out;
}

const Cid kAbsent = *make_cid(Codec::raw, as_bytes("nobody has this"));

IpnsName some_name() { return (*IpnsKey::derive_ed25519(SecretBytes<32>().view())).name(); }

bool closed(const Status& status) { return !status && status.error().code == Errc::closed; }
template <typename T>
bool closed(const Result<T>& result) {
  return !result && result.error().code == Errc::closed;
}

Milliseconds since(Instant start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE("200 times, a client that two close beside calls in flight ends them, and itself") {
  World world;
  const MutePort mute;
  std::atomic<int> ended_by_closing = 0;
  for (int round = 0; round < 200; ++round) {
    const test::TempDir dir;
    Config config = world.config("unused");
    config.state_dir = dir.path() / "state";
    if (round % 2 == 0) config.gateways.push_back({mute.url(), 2});
    auto client = *Client::open(std::move(config));
    Changes changes;
    REQUIRE(client->watch(world.key.name(), changes.options()));
    std::atomic<int> began = 0;
    std::mutex mutex;
    std::vector<std::string> strange;
    std::vector<std::thread> threads;
    const auto call = [&](const char* name, auto what) {
      threads.emplace_back([&, name, what] {
        ++began;
        const auto result = what();
        if (closed(result)) ++ended_by_closing;
        // Ended before, or by closing: nothing else happens to a call. A node's RPC says of a block
        // that is nowhere what it says of any failure.
        if (result || closed(result)) return;
        const Errc code = result.error().code;
        if (code == Errc::not_found || code == Errc::unreachable) return;
        const std::lock_guard lock(mutex);
        strange.push_back(std::string(name) + ": " + std::string(to_string(result.error().code)) +
                          ": " + result.error().message);
      });
    };
    call("get", [&] { return client->get(kAbsent, "", dir.path() / "out"); });
    call("resolve", [&] { return client->resolve(some_name(), Milliseconds(60'000)); });
    call("publish", [&] {
      return client->publish(world.key, world.tree("one"), {.replace = true, .force = true});
    });
    call("forget", [&] { return client->forget(world.key.name()); });
    call("status", [&] {
      (void)client->status();
      (void)client->gateways();
      (void)client->metrics();
      (void)client->handlers();
      return Status{};
    });
    while (began < 5) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(round % 10 * 500));
    std::thread other([&] { client->close(); });
    client->close();
    other.join();
    CHECK(closed(client->resolve(some_name(), Milliseconds(60'000))));
    CHECK(closed(client->watch(world.key.name(), changes.options())));
    for (std::thread& thread : threads) thread.join();
    CHECK(strange == std::vector<std::string>());
    client.reset();
  }
  CHECK(ended_by_closing > 0);
}

TEST_CASE("a call that is asked to stop ends, long before its deadline") {
  const test::TempDir dir;
  const MutePort mute;
  const auto client = *Client::open(patient(dir, mute));
  const auto stopped = [&](auto call) {
    std::stop_source source;
    std::thread stopper([&] {
      std::this_thread::sleep_for(Milliseconds(100));
      source.request_stop();
    });
    const auto result = call(source.get_token());  // hangs where it does not end
    stopper.join();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::cancelled);
  };
  const auto target = dir.path() / "out";
  stopped([&](std::stop_token stop) { return client->get(kAbsent, "", target, {.stop = stop}); });
  CHECK_FALSE(std::filesystem::exists(target));
  stopped([&](std::stop_token stop) {
    return client->resolve(some_name(), Milliseconds(60'000), Freshness::ask, stop);
  });
  // More gets than fetches at a time: one that waits for its turn is stopped all the same.
  std::vector<Status> ended(10);
  std::vector<std::thread> waiting;
  std::stop_source all;
  for (size_t i = 0; i < ended.size(); ++i) {
    waiting.emplace_back([&, i] {
      const Cid cid = *make_cid(Codec::raw, as_bytes("absent " + std::to_string(i)));
      ended[i] = client->get(cid, "", dir.path() / std::to_string(i), {.stop = all.get_token()});
    });
  }
  stopped([&](std::stop_token stop) { return client->get(kAbsent, "", target, {.stop = stop}); });
  all.request_stop();
  for (std::thread& thread : waiting) thread.join();
  for (const Status& status : ended) CHECK((!status && status.error().code == Errc::cancelled));
  std::stop_source before;
  before.request_stop();
  CHECK(client->resolve(some_name(), Milliseconds(60'000), Freshness::ask, before.get_token())
            .error()
            .code == Errc::cancelled);
}

TEST_CASE("a handler may close the client, and what it has acknowledged does not come again") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  {
    auto reader = *Client::open(world.config("reader"));
    std::promise<bool> handled;
    WatchOptions options;
    options.on_change = [&](const Change&) -> Status {
      reader->close();
      reader->close();
      handled.set_value(closed(reader->resolve(some_name(), Milliseconds(60'000))));
      return {};
    };
    REQUIRE(reader->watch(world.key.name(), options));
    auto was_closed = handled.get_future();
    REQUIRE(was_closed.wait_for(Seconds(60)) == std::future_status::ready);
    CHECK(was_closed.get());
  }
  Changes changes;
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  CHECK_FALSE(changes.next(Milliseconds(1'000)));
}

TEST_CASE("a handler may destroy the client: the last to leave ends it") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  for (int round = 0; round < 20; ++round) {
    INFO(round);
    auto config = world.config("reader-" + std::to_string(round));
    auto reader = *Client::open(config);
    std::promise<void> handled;
    WatchOptions options;
    options.on_change = [&](const Change&) -> Status {
      reader.reset();
      handled.set_value();
      return {};
    };
    auto& client = *reader;
    REQUIRE(client.watch(world.key.name(), options));
    REQUIRE(handled.get_future().wait_for(Seconds(60)) == std::future_status::ready);
    // Once it has ended, the state directory is free.
    auto again = Client::open(config);
    while (!again && again.error().code == Errc::conflict) {
      std::this_thread::sleep_for(Milliseconds(5));
      again = Client::open(config);
    }
    REQUIRE(again);
  }
}

TEST_CASE("handlers of two names may close the client at once, beside a call in flight") {
  World world;
  const MutePort mute;
  const IpnsKey other = *IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view());
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  REQUIRE(writer->publish(other, world.tree("two")));
  auto config = world.config("reader");
  config.gateways.push_back({mute.url(), 2});
  auto reader = *Client::open(std::move(config));
  std::atomic<int> inside = 0;
  std::atomic<int> left = 0;
  WatchOptions options;
  options.on_change = [&](const Change&) -> Status {
    ++inside;
    while (inside < 2) std::this_thread::sleep_for(Milliseconds(1));
    reader->close();
    ++left;
    return {};
  };
  Status got;
  std::thread getter([&] { got = reader->get(kAbsent, "", world.dir.path() / "out"); });
  REQUIRE(reader->watch(world.key.name(), options));
  REQUIRE(reader->watch(other.name(), options));
  while (left < 2) std::this_thread::sleep_for(Milliseconds(1));
  getter.join();
  CHECK((!got && (closed(got) || got.error().code == Errc::not_found)));
  reader.reset();
}

TEST_CASE("a handler that hangs is left alone after five seconds, and keeps what it uses") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  std::promise<void> begun;
  std::promise<void> gate;
  std::promise<bool> read;
  const auto config = world.config("reader");
  auto reader = *Client::open(config);
  WatchOptions options;
  options.validate = [&, open = gate.get_future().share()](const Change& change,
                                                           BlockSource& blocks) -> Status {
    begun.set_value();
    open.wait();
    // The client is gone, and its blocks are here all the same.
    read.set_value(resolve_path(blocks, *change.cid, "file.txt").has_value());
    return {};
  };
  options.on_change = [](const Change&) { return Status{}; };
  REQUIRE(reader->watch(world.key.name(), options));
  REQUIRE(begun.get_future().wait_for(Seconds(60)) == std::future_status::ready);
  const Instant start = std::chrono::steady_clock::now();
  reader.reset();
  CHECK(since(start) >= Milliseconds(5'000));
  // Another client has the state directory, and is told what was not acknowledged.
  Changes changes;
  auto again = Client::open(config);
  REQUIRE(again);
  REQUIRE((*again)->watch(world.key.name(), changes.options()));
  REQUIRE(changes.next(ChangeKind::change));
  gate.set_value();
  auto has_read = read.get_future();
  REQUIRE(has_read.wait_for(Seconds(60)) == std::future_status::ready);
  CHECK(has_read.get());
}

TEST_CASE("a progress callback may close the client, and the call it is in ends") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  const auto path = world.dir.path() / "big";
  test::write_file(path / "file", std::string(8 * 1024 * 1024, 'x') + "y");
  const auto outcome = writer->publish(world.key, path);
  REQUIRE(outcome);
  auto config = world.config("reader");
  auto reader = *Client::open(config);
  std::atomic<bool> was_told = false;
  GetOptions options;
  options.on_progress = [&](const GetProgress&) {
    was_told = true;
    reader->close();
  };
  const Status got = reader->get(outcome->cid, "", world.dir.path() / "copy", options);
  CHECK((got || closed(got)));
  CHECK(was_told);
  CHECK(closed(reader->resolve(some_name(), Milliseconds(60'000))));
  // The call was the last to leave.
  REQUIRE(Client::open(config));
}
