// relay probe as a user types it, and interrupts it.
#include <csignal>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using test::Process;

constexpr Seconds kSoon(60);
constexpr Seconds kAtOnce(8);  // four are for cleaning up

// What the relay has of the hint kinds, and hears of them.
class Onlooker {
 public:
  Onlooker(nostr::net::Loop& loop, const std::string& relay) {
    pool_ = nostr::Pool::start(loop, {.relays = {*nostr::RelayUrl::parse(relay)}});
    pool_->subscribe({{.kinds = {30078, 30079}}},
                     [this](nostr::PoolMessage& m) { return heard_.try_push(std::move(m)); });
  }
  bool hears_an_event() {
    while (const auto message = heard_.pop_until(std::chrono::steady_clock::now() + kSoon)) {
      if (std::holds_alternative<nostr::PoolEvent>(*message)) return true;
    }
    return false;
  }
  // Everything that is stored now.
  size_t stored() {
    size_t count = 0;
    while (const auto message = heard_.pop_until(std::chrono::steady_clock::now() + kSoon)) {
      if (std::holds_alternative<nostr::PoolEose>(*message)) return count;
      count += std::holds_alternative<nostr::PoolEvent>(*message) ? 1 : 0;
    }
    return 1;
  }

 private:
  Inbox<nostr::PoolMessage> heard_{1000};
  std::unique_ptr<nostr::Pool> pool_;
};

}  // namespace

TEST_CASE("Ctrl-C ends a probe in time, and what it wrote is deleted") {
  const test::TempDir home;
  const auto loop = *nostr::net::Loop::start();
  const auto relay = *nostr::server::RelayServer::start(*loop, {.port = 0});
  for (const int signal : {SIGINT, SIGTERM}) {
    Onlooker onlooker(*loop, relay->url());
    Process probe({.argv = {test::program(), "relay", "probe", relay->url(), "--json"},
                   .environment = {{"HOME", home.path().string()}}});
    REQUIRE(onlooker.hears_an_event());
    probe.signal(signal);
    const auto ended = probe.wait(kAtOnce);
    INFO(probe.output());
    REQUIRE(ended);
    CHECK(ended->exit == 130);
    CHECK(ended->out.find("interrupted") != std::string::npos);
    CHECK(Onlooker(*loop, relay->url()).stored() == 0);
  }
}

}  // namespace ipnscast
