#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "ipnscast/nostr/net/connect_race.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

// An address and port that swallows connections: a listening socket whose queue is full.
class BlackHole {
 public:
  explicit BlackHole(const std::string& address, uint16_t port) : listener_(address, port, 0) {
    sockaddr_storage name{};
    socklen_t size = sizeof(name);
    ::getsockname(listener_.fd, reinterpret_cast<sockaddr*>(&name), &size);
    for (UniqueFd& filler : fillers_) {
      filler = UniqueFd(::socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(filler.get(), reinterpret_cast<sockaddr*>(&name), size);
    }
  }

 private:
  RawListener listener_;
  std::array<UniqueFd, 4> fillers_;
};

struct Outcome {
  bool connected = false;
  Closed why;
  Milliseconds took{};
};

Outcome race(Loop& loop, std::vector<std::string> addresses, uint16_t port) {
  std::promise<Outcome> result;
  auto future = result.get_future();
  std::unique_ptr<ConnectRace> racing;
  const auto start = std::chrono::steady_clock::now();
  loop.run([&] {
    racing = std::make_unique<ConnectRace>(
        loop.impl(), std::move(addresses), port, NamedBy::configuration,
        [&](tl::expected<UniqueFd, Closed> socket) {
          Outcome out;
          out.took =
              std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
          out.connected = socket.has_value();
          if (!socket) out.why = socket.error();
          result.set_value(out);
        });
  });
  Outcome out;
  out.why.text = "nothing";
  if (future.wait_for(std::chrono::seconds(60)) == std::future_status::ready) out = future.get();
  loop.run([&] { racing.reset(); });
  return out;
}

bool have_ipv6() {
  const UniqueFd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  return probe && ::bind(probe.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
}

}  // namespace

TEST_CASE("an address that swallows connections costs a quarter of a second, not the time-out") {
  auto loop = *Loop::start();
  const RawListener good("127.0.0.1");
  const BlackHole hole("127.0.0.2", good.port);
  const Outcome first = race(*loop, {"127.0.0.2", "127.0.0.1"}, good.port);
  CHECK(first.connected);
  CHECK(first.took >= Milliseconds(250));
  const BlackHole other("127.0.0.3", good.port);
  CHECK(race(*loop, {"127.0.0.2", "127.0.0.3", "127.0.0.1"}, good.port).connected);
}

TEST_CASE("an address that refuses costs nothing, and the last error says what to do") {
  auto loop = *Loop::start();
  const RawListener good("127.0.0.1");
  // Less than what one that is silent costs; a busy machine may need some tries to show it.
  Milliseconds best{1'000};
  for (int tries = 0; best >= Milliseconds(200) && tries < 20; ++tries) {
    const Outcome second = race(*loop, {"127.0.0.9", "127.0.0.1"}, good.port);
    REQUIRE(second.connected);
    best = std::min(best, second.took);
  }
  CHECK(best < Milliseconds(200));
  const Outcome none = race(*loop, {"127.0.0.9", "127.0.0.8"}, good.port);
  CHECK_FALSE(none.connected);
  CHECK(none.why.reason == CloseReason::refused);
  CHECK(none.why.text.find("2 addresses failed") != std::string::npos);
}

TEST_CASE("a relay that listens on one family only is reached under a name that has both") {
  if (!have_ipv6()) SKIP_TEST("no IPv6 on loopback");
  auto loop = *Loop::start();
  const RawListener four("127.0.0.1");
  CHECK(race(*loop, {"::1", "127.0.0.1"}, four.port).connected);
  const RawListener six("::1");
  CHECK(race(*loop, {"127.0.0.1", "::1"}, six.port).connected);
  const BlackHole hole("127.0.0.2", six.port);
  CHECK(race(*loop, {"127.0.0.2", "::1"}, six.port).connected);
}

TEST_CASE("a race that nobody wants any more ends without a word") {
  auto loop = *Loop::start();
  const RawListener good("127.0.0.1");
  const BlackHole hole("127.0.0.2", good.port);
  bool called = false;
  std::unique_ptr<ConnectRace> racing;
  loop->run([&] {
    racing = std::make_unique<ConnectRace>(loop->impl(), std::vector<std::string>{"127.0.0.2"},
                                           good.port, NamedBy::configuration,
                                           [&](auto) { called = true; });
  });
  loop->run([] {});
  loop->run([&] {
    CHECK(racing->waiting_for() == "127.0.0.2");
    racing.reset();
  });
  loop->run([] {});
  CHECK_FALSE(called);
}
