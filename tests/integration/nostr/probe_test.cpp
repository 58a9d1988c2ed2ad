// The probe over real sockets. What it concludes from which answer is in unit/probe_test.cpp.
#include "ipnscast/nostr/probe/probe.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "ipnscast/nostr/net/http/http_get.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/nostr/probe/net_wire.h"
#include "ipnscast/nostr/probe/verdict.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/faulty_relay.h"
#include "ipnscast/tests/support/self_signed.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;
using probe::Access;

namespace {

const probe::Options kQuick = {.timeout = Milliseconds(20'000),
                               .patience = Milliseconds(5'000),
                               .read_back = Milliseconds(100)};

struct Prober {
  std::unique_ptr<net::Loop> loop = *net::Loop::start();

  probe::Report run(const RelayUrl& url, const probe::Options& options = kQuick,
                    net::Access access = {}) {
    probe::NetWire wire(*loop, url, std::move(access));
    return probe::run(wire, url, options);
  }
};

// A relay with faults behind a real socket.
class FaultyServer {
 public:
  explicit FaultyServer(FaultyRelay::Faults faults)
      : relay_(std::move(faults), *RelayUrl::parse("ws://127.0.0.1:1")) {
    handlers_.opened = [this](net::ServerConnectionId id, const std::string&) {
      say(relay_.opened(id.value));
    };
    handlers_.closed = [this](net::ServerConnectionId id) { relay_.closed(id.value); };
    handlers_.frame = [this](net::ServerConnectionId id, std::string frame) {
      say(relay_.hears(id.value, frame));
      if (on_frame) on_frame();
      return true;
    };
    server_ = std::move(*net::listen(*loop_, {}, handlers_));
    loop_->run([] {});  // from here on the net thread sees it
  }
  ~FaultyServer() { server_.reset(); }

  RelayUrl url() const {
    return *RelayUrl::parse("ws://127.0.0.1:" + std::to_string(server_->port()));
  }
  std::vector<Event> stored() {
    std::vector<Event> out;
    loop_->run([&] { out = relay_.stored(); });
    return out;
  }
  size_t writes() {
    size_t out = 0;
    loop_->run([&] { out = relay_.writes(); });
    return out;
  }
  std::function<void()> on_frame;  // net thread; set before anyone connects

 private:
  void say(const FaultyRelay::Saying& saying) {
    for (const auto& said : saying) {
      const net::ServerConnectionId to{said.to};
      if (said.frame.empty()) {
        server_->close(to);
      } else {
        server_->send(to, std::make_shared<const std::string>(said.frame));
      }
    }
  }

  std::unique_ptr<net::Loop> loop_ = *net::Loop::start();
  FaultyRelay relay_;  // net thread
  net::ServerHandlers handlers_;
  std::unique_ptr<net::WebSocketServer> server_;
};

// Takes connections into its backlog and never says a word.
struct Mute {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  uint16_t port = 0;

  Mute() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(fd, 5) == 0);
    socklen_t size = sizeof(address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;
  ~Mute() { ::close(fd); }
  RelayUrl url() const { return *RelayUrl::parse("ws://127.0.0.1:" + std::to_string(port)); }
};

}  // namespace

TEST_CASE("the embedded relay is found fit, with its NIP-11 document and times") {
  const auto loop = *net::Loop::start();
  auto server = server::RelayServer::start(*loop, {.port = 0});
  REQUIRE(server);
  const auto report = Prober().run(*RelayUrl::parse((*server)->url()));
  const auto verdict = probe::judge(report);
  for (const auto& reason : verdict.reasons) UNSCOPED_INFO(reason.text);
  CHECK(verdict.fit);
  CHECK(verdict.score >= 90);
  REQUIRE(report.handshake.information);
  CHECK(report.handshake.information->software == "ipnscast");
  CHECK(report.handshake.asked);
  CHECK_FALSE(report.handshake.tls);
  CHECK(report.handshake.connect.count() > 0);
  CHECK(report.live.heard == report.live.published);
  CHECK(report.replacement.tie_break == probe::TieBreak::lowest);
  CHECK(report.deletion.left_behind == 0);
}

TEST_CASE("faults show over a socket as they do in memory") {
  FaultyServer deaf({.deaf = true});
  probe::Options hasty = kQuick;
  hasty.patience = Milliseconds(1'000);
  const auto report = Prober().run(deaf.url(), hasty);
  CHECK(report.live.heard == 0);
  CHECK_FALSE(probe::judge(report).fit);
  CHECK_FALSE(report.handshake.information);  // the server knows no NIP-11
  CHECK(report.handshake.information_fault == "HTTP 404");
  CHECK(deaf.stored().empty());

  FaultyServer dropping({.drops_after_writes = true});
  CHECK(Prober().run(dropping.url()).live.heard == 8);
  CHECK(dropping.stored().empty());
}

TEST_CASE("a probe that is interrupted deletes what it wrote over a real socket") {
  FaultyServer relay({});
  Prober prober;
  probe::NetWire wire(*prober.loop, relay.url(), {});
  std::atomic<int> frames = 0;
  relay.on_frame = [&] {
    if (++frames == 20) wire.cancel();
  };
  const auto report = probe::run(wire, relay.url(), kQuick);
  REQUIRE(report.cut_short);
  CHECK(report.cut_short->code == Errc::cancelled);
  CHECK(relay.writes() > 3);
  CHECK(relay.stored().empty());
}

TEST_CASE("R26 a host that accepts and says nothing costs no more than the patience") {
  const Mute mute;
  probe::Options hasty = kQuick;
  hasty.patience = Milliseconds(200);
  const auto report = Prober().run(mute.url(), hasty);
  REQUIRE(report.unreachable);
  CHECK(report.unreachable->code == Errc::timeout);
  CHECK(report.lasted < Seconds(30));
}

TEST_CASE("interrupting a probe of a mute host ends it at once") {
  const Mute mute;
  Prober prober;
  probe::NetWire wire(*prober.loop, mute.url(), {});
  wire.cancel();
  const auto report = probe::run(wire, mute.url(), {.patience = Milliseconds(30'000)});
  REQUIRE(report.unreachable);
  CHECK(report.unreachable->code == Errc::cancelled);
}

TEST_CASE("TLS is measured, and refused where the certificate is nobody's") {
  const TempDir dir;
  const SelfSigned own(dir.path());
  const auto loop = *net::Loop::start();
  std::unique_ptr<net::WebSocketServer> server = std::move(*net::listen(
      *loop, {.tls_cert_file = own.certificate_file, .tls_key_file = own.key_file}, {}));
  const auto url = *RelayUrl::parse("wss://127.0.0.1:" + std::to_string(server->port()));
  Prober prober;
  const Instant until = system_now().steady + Seconds(10);

  probe::NetWire trusting(*prober.loop, url, {.ca_file = own.certificate_file});
  const auto shaken = trusting.shake_hands(until);
  REQUIRE(shaken);
  REQUIRE(shaken->tls);
  CHECK(shaken->tls->count() > 0);

  probe::NetWire doubting(*prober.loop, url, {});
  const auto refused = doubting.shake_hands(until);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  const std::string& advice = refused.error().message;
  CHECK(advice.find("certificate") != std::string::npos);

  const size_t at = advice.find("sha256/");
  REQUIRE(at != std::string::npos);
  probe::NetWire pinned(*prober.loop, url, {.pins = *net::KeyPins::parse({advice.substr(at)})});
  CHECK(pinned.shake_hands(until));
  const std::string other = "sha256/" + std::string(43, 'A') + "=";
  probe::NetWire elsewhere(*prober.loop, url, {.pins = *net::KeyPins::parse({other})});
  const auto mismatch = elsewhere.shake_hands(until);
  REQUIRE_FALSE(mismatch);
  CHECK(mismatch.error().code == Errc::refused);
  CHECK(mismatch.error().message.find("not the pinned one") != std::string::npos);

  const auto by_name = *RelayUrl::parse("wss://localhost:" + std::to_string(server->port()));
  CHECK(
      probe::NetWire(*prober.loop, by_name, {.ca_file = own.certificate_file}).shake_hands(until));
  server.reset();
}

TEST_CASE("an HTTP head is parsed whatever its case, and only when it is one") {
  using net::parse_http_head;
  const auto good = parse_http_head(
      "HTTP/1.1 101 Switching Protocols\r\nSEC-WebSocket-Extensions:  permessage-deflate \r\n"
      "junk\r\nA:b:c");
  REQUIRE(good);
  CHECK(good->status == 101);
  CHECK(good->headers.at("sec-websocket-extensions") == "permessage-deflate");
  CHECK(good->headers.at("a") == "b:c");
  CHECK_FALSE(parse_http_head(""));
  CHECK_FALSE(parse_http_head("HTTP/1.1 2x0 OK"));
  CHECK_FALSE(parse_http_head("SSH-2.0-OpenSSH_9.2"));
}
