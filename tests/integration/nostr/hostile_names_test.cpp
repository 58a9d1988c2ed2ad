// Relays that others name: an naddr, an nprofile, a relay list, a record, a remote signer.
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/net/stream/relay_stream.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/name_proxy.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/relays/trap.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using ipnscast::test::NameProxy;
using ipnscast::test::Trap;

namespace {

RelayUrl foreign(const std::string& text) { return *RelayUrl::parse_foreign(text); }

// How the attempt to connect ended; the reason is CloseReason::dead when it did not.
Closed attempt(Loop& loop, const RelayUrl& url, ClientOptions options = {}) {
  Inbox<Closed> inbox{16};
  std::unique_ptr<WebSocketClient> socket;
  loop.run([&] {
    socket =
        connect(loop, url, std::move(options),
                {.opened =
                     [&inbox] {
                       inbox.push_reserved({CloseReason::dead, 0, "open"});
                     },
                 .frame = nullptr,
                 .closed = [&inbox](Closed closed) { inbox.push_reserved(std::move(closed)); }});
  });
  auto closed = inbox.pop_until(std::chrono::steady_clock::now() + std::chrono::seconds(30));
  loop.run([&] { socket.reset(); });
  return closed ? std::move(*closed) : Closed{CloseReason::dead, 0, "nothing"};
}

// What the machine calls itself, which often leads to an address of the own network.
std::string own_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

TEST_CASE("a relay that others named is connected to at a public address only (R39)") {
  const auto loop = std::move(*Loop::start());
  Trap four("127.0.0.1");
  Trap six("::1", four.port_number());
  for (const std::string host :
       {"127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "127.1", "0x7f.1", "2130706433",
        "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "127.0.0.2"}) {
    for (const char* scheme : {"ws://", "wss://"}) {
      INFO(scheme << host);
      const Closed closed = attempt(*loop, foreign(scheme + host + ":" + four.port()));
      CHECK(closed.reason == CloseReason::forbidden);
      CHECK(closed.text.find("not public") != std::string::npos);
      CHECK(closed.text.find("relays.urls") != std::string::npos);
    }
  }
  (void)attempt(*loop, foreign("ws://" + own_name() + ":" + four.port()));
  CHECK(four.caught() == 0);
  CHECK(six.caught() == 0);
  // The trap itself works: the configuration may name it.
  ClientOptions impatient;
  impatient.connect_timeout = Milliseconds(300);
  (void)attempt(*loop, *RelayUrl::parse("ws://127.0.0.1:" + four.port()), impatient);
  CHECK(four.caught() == 1);
}

TEST_CASE("an information document is fetched from no relay that others named at home (R39)") {
  Trap trap;
  const RelayUrl url = foreign("ws://127.0.0.1:" + trap.port());
  StreamTimes times;
  const Patience patience{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};
  const auto refused = open_relay_stream(url, {}, {"127.0.0.1", "::1"}, patience, times);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  CHECK(trap.caught() == 0);
  CHECK(open_relay_stream(url.as_ours(), {}, {"127.0.0.1"}, patience, times));
}

TEST_CASE("a relay's redirect opens no connection, whoever named the relay (R39)") {
  const auto loop = std::move(*Loop::start());
  Trap trap;
  for (const int status : {301, 302, 303, 307, 308}) {
    for (const char* scheme : {"http://", "ws://"}) {
      INFO(status << ' ' << scheme);
      const test::RawListener relay;
      std::thread peer([&] {
        const int fd = relay.accept();
        (void)test::read_until(fd, "\r\n\r\n");
        test::write_all(fd, "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + scheme +
                                "127.0.0.1:" + trap.port() + "/\r\nContent-Length: 0\r\n\r\n");
        (void)test::read_until(fd, "never");
        ::close(fd);
      });
      const Closed closed = attempt(*loop, *RelayUrl::parse(relay.url()));
      peer.join();
      CHECK(closed.reason == CloseReason::http_status);
      CHECK(closed.code == status);
    }
  }
  CHECK(trap.caught() == 0);
}

TEST_CASE("behind a proxy, what others named goes out as a public address or not at all (R39)") {
  const auto loop = std::move(*Loop::start());
  Trap trap;
  NameProxy proxy;  // to which every name is 127.0.0.1
  ClientOptions options;
  options.access.proxy = *ProxyUrl::parse(proxy.url());
  for (const std::string host : {"127.0.0.1", "evil.example", "localhost", "[::1]", "10.0.0.1"}) {
    INFO(host);
    const Closed closed = attempt(*loop, foreign("wss://" + host + ":" + trap.port()), options);
    CHECK(closed.reason == CloseReason::forbidden);
    CHECK(closed.text.find("relays.urls") != std::string::npos);
    StreamTimes times;
    const Patience patience{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};
    CHECK_FALSE(open_relay_stream(foreign("wss://" + host + ":" + trap.port()), options.access,
                                  {"127.0.0.1"}, patience, times));
  }
  CHECK(proxy.take_asked().empty());
  CHECK(trap.caught() == 0);
}

TEST_CASE("a pool reaches what the configuration names, even if others name it first (R39)") {
  const auto loop = std::move(*Loop::start());
  std::unique_ptr<WebSocketServer>* self = nullptr;
  std::unique_ptr<WebSocketServer> server = test::echo_server(*loop, {}, self);
  self = &server;
  Trap trap;
  const std::string ours = test::url_of(*server);
  const auto pool = Pool::start(
      *loop, {.relays = {foreign(ours + "/other"), foreign(ours), *RelayUrl::parse(ours),
                         foreign("ws://127.0.0.1:" + trap.port())}});
  const Instant end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  size_t connected = 0;
  bool refused = false;
  while ((connected < 2 || !refused) && std::chrono::steady_clock::now() < end) {
    connected = 0;
    for (const RelayStatus& status : pool->status()) {
      connected += status.connected ? 1 : 0;
      refused = refused || status.last_error.find("not public") != std::string::npos;
    }
    std::this_thread::yield();
  }
  CHECK(connected == 2);
  CHECK(refused);
  CHECK(trap.caught() == 0);
}
