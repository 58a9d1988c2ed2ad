// permessage-deflate (RFC 7692) with a server that others wrote: what travels, byte by byte.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr Milliseconds kLong{20'000};

// Passes one connection on to a port of 127.0.0.1 and keeps what came back.
class WireTap {
 public:
  explicit WireTap(uint16_t port) : thread_([this, port] { serve(port); }) {}
  ~WireTap() { thread_.join(); }
  std::string url() const { return listener_.url(); }
  // Once the client has gone.
  std::string answered() {
    done_.get_future().wait();
    return answered_;
  }

 private:
  void serve(uint16_t port) {
    const int client = listener_.accept();
    const int server = connect_to(port);
    std::thread up([&] { pass(client, server, nullptr); });
    pass(server, client, &answered_);
    up.join();
    ::close(client);
    ::close(server);
    done_.set_value();
  }
  static void pass(int from, int to, std::string* kept) {
    char buffer[16 * 1024];
    for (ssize_t size = 0; (size = ::recv(from, buffer, sizeof buffer, 0)) > 0;) {
      if (kept != nullptr) kept->append(buffer, static_cast<size_t>(size));
      if (::send(to, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) != size) break;
    }
    ::shutdown(to, SHUT_WR);
  }

  const RawListener listener_;
  std::string answered_;  // before done_: the thread's
  std::promise<void> done_;
  std::thread thread_;
};

// The stored event as a pool gets it through the tap, with deflate or without.
Event read_through(WireTap& tap, const Filter& filter, bool deflate) {
  const auto loop = *net::Loop::start();
  PoolOptions options;
  options.relays = {*RelayUrl::parse(tap.url())};
  options.access.deflate = deflate;
  options.read_information = false;
  const auto pool = Pool::start(*loop, std::move(options));
  Inbox<PoolMessage> inbox(100);
  pool->subscribe({filter}, [&](PoolMessage& m) { return inbox.try_push(std::move(m)); });
  while (auto message = inbox.pop_until(std::chrono::steady_clock::now() + kLong)) {
    if (const auto* event = std::get_if<PoolEvent>(&*message)) return event->event;
  }
  FAIL("no event came");
  return {};
}

}  // namespace

TEST_CASE("pool: @nostr-relay/core compresses what it sends us, and it arrives as it was") {
  const auto folder = peer("nostr-relay-core");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("nostr-relay-core", *folder);
  const std::string url = relay.url();
  const auto port = test::port_of(url);
  const SecretKey key = SecretKey::generate();
  std::string content;
  for (int i = 0; content.size() < 50'000; ++i) content += "line " + std::to_string(i) + "\n";
  const Event event = sign_event(key, {system_now().seconds(), 30079, {{"d", "large"}}, content});
  {
    const auto loop = *net::Loop::start();
    const auto pool = Pool::start(*loop, {.relays = {*RelayUrl::parse(url)}});
    std::promise<bool> stored;
    pool->publish(event, {}, [&](const PublishReport& report) {
      stored.set_value(report.stored_count() == 1);
    });
    REQUIRE(stored.get_future().get());
  }
  Filter filter;
  filter.authors = {key.public_key()};
  const auto bytes = [&](bool deflate, bool agreed) {
    WireTap tap(port);
    CHECK(read_through(tap, filter, deflate) == event);
    const std::string answered = tap.answered();
    const std::string head = answered.substr(0, answered.find("\r\n\r\n"));
    CHECK((head.find("permessage-deflate") != std::string::npos) == agreed);
    return answered.size();
  };
  const size_t plain = bytes(false, false);
  const size_t compressed = bytes(true, true);
  INFO(plain << " bytes plain, " << compressed << " compressed");
  CHECK(plain > content.size());
  CHECK(compressed < content.size() / 3);
}
