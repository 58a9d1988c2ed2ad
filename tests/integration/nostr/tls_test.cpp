#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/test_certificates.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

// A private authority, and an echoing wss server with a certificate of the test's wish. The server
// is there before any client, as in a process that has both.
struct Stage {
  TempDir folder;
  std::unique_ptr<Loop> loop = *Loop::start();
  Certificate authority =
      make_certificate(folder.path(), "authority", {.name = "authority", .authority = true});
  Certificate shown;
  std::unique_ptr<WebSocketServer> server;
  std::unique_ptr<WebSocketServer>* self = &server;

  explicit Stage(const CertificateWish& wish, bool self_signed = false)
      : shown(make_certificate(folder.path(), "relay", wish, self_signed ? nullptr : &authority)) {
    server = echo_server(
        *loop, {.tls_cert_file = shown.certificate.string(), .tls_key_file = shown.key.string()},
        self);
  }

  std::string url(const std::string& host = "localhost") const {
    return "wss://" + host + ":" + std::to_string(server->port());
  }
  Probe::Event outcome(const Access& access, const std::string& host = "localhost") const {
    Probe probe(*loop, url(host), {.access = access});
    auto event = probe.next();
    if (event.what != "opened") return event;
    probe.send("over TLS");
    CHECK(probe.next().text == "over TLS");
    return event;
  }
  void refused(const Access& access, const std::string& said,
               const std::string& host = "localhost") const {
    const auto event = outcome(access, host);
    INFO(event.text);
    CHECK(event.what == closed_by(CloseReason::tls));
    CHECK(event.text.find(said) != std::string::npos);
    CHECK(event.closed.permanent);
  }
  Access with_authority() const { return {.ca_file = authority.certificate.string()}; }
};

Access pinned(const KeyPin& pin) { return {.pins = *KeyPins::parse({to_text(pin)})}; }

// A peer with OpenSSL's bare server, for what ours would not do. Ends after one client.
class BareTlsServer {
 public:
  BareTlsServer(const Certificate& shown, int newest) {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, newest);
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_use_certificate_file(context_, shown.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_, shown.key.c_str(), SSL_FILETYPE_PEM);
    thread_ = std::thread([this] {
      const int fd = listener_.accept();
      if (fd < 0) return;
      SSL* ssl = SSL_new(context_);
      SSL_set_fd(ssl, fd);
      SSL_accept(ssl);
      const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
      server_name = name == nullptr ? "none" : name;
      SSL_free(ssl);
      ::close(fd);
    });
  }
  ~BareTlsServer() {
    ::shutdown(listener_.fd, SHUT_RDWR);  // a client that never came is not waited for
    join();
    SSL_CTX_free(context_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return listener_.port; }

  std::string server_name;

 private:
  RawListener listener_;
  SSL_CTX* context_ = nullptr;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a relay with a certificate of a private authority is taken when that is configured") {
  const Stage stage({.address = "127.0.0.1"});
  CHECK(stage.outcome(stage.with_authority()).what == "opened");
  CHECK(stage.outcome(stage.with_authority(), "127.0.0.1").what == "opened");
  stage.refused({}, "authority that is unknown here");
}

TEST_CASE("an IPv6 address is checked as an address") {
  TempDir folder;
  const Certificate shown = make_certificate(folder.path(), "relay", {.address = "::1"});
  auto loop = *Loop::start();
  auto server = listen(*loop,
                       {.address = "::1",
                        .tls_cert_file = shown.certificate.string(),
                        .tls_key_file = shown.key.string()},
                       {});
  if (!server) return;  // no IPv6 on loopback here
  const std::string port = std::to_string((*server)->port());
  Probe right(*loop, "wss://[::1]:" + port, {.access = {.ca_file = shown.certificate.string()}});
  const auto opened = right.next();
  INFO(opened.text);
  CHECK(opened.what == "opened");
}

TEST_CASE("a certificate for another host is refused, and the text names both") {
  const Stage stage({.name = "other.example"});
  stage.refused(stage.with_authority(), "is for other.example, not for localhost");
  stage.refused(stage.with_authority(), "not for 127.0.0.1", "127.0.0.1");
}

TEST_CASE("an expired certificate is refused, and one that is not valid yet") {
  const Stage expired({.from_seconds = -7200, .until_seconds = -3600});
  expired.refused(expired.with_authority(), "expired on 20");
  const Stage early({.from_seconds = 3600, .until_seconds = 7200});
  early.refused(early.with_authority(), "is the clock of this machine right?");
}

TEST_CASE("a self-signed certificate is refused until its file or its key is configured") {
  const Stage stage({}, true);
  stage.refused({}, "self-signed");
  CHECK(stage.outcome({.ca_file = stage.shown.certificate.string()}).what == "opened");
  CHECK(stage.outcome(pinned(stage.shown.pin)).what == "opened");
}

TEST_CASE("a pinned key decides alone: no name, no date, and no authority against it") {
  const Stage odd({.name = "other.example", .until_seconds = -1}, true);
  CHECK(odd.outcome(pinned(odd.shown.pin)).what == "opened");
  const Stage proper({});
  Access access = pinned(odd.shown.pin);
  access.ca_file = proper.authority.certificate.string();
  proper.refused(access, to_text(proper.shown.pin));
  access.pins =
      *KeyPins::parse({proper.url() + " " + to_text(proper.shown.pin), to_text(odd.shown.pin)});
  CHECK(proper.outcome(access).what == "opened");
  // The pin of the authority above is not the relay's.
  proper.refused(pinned(proper.authority.pin), "not the pinned one");
}

TEST_CASE("TLS older than 1.2 is refused, and so is what is no TLS at all") {
  TempDir folder;
  const Certificate shown = make_certificate(folder.path(), "relay", {});
  auto loop = *Loop::start();
  {
    BareTlsServer old(shown, TLS1_1_VERSION);
    Probe probe(*loop, "wss://localhost:" + std::to_string(old.port()),
                {.access = pinned(shown.pin)});
    const auto closed = probe.next();
    INFO(closed.text);
    CHECK(closed.what == closed_by(CloseReason::tls));
  }
  const RawListener plain;
  std::thread answering([&] {
    const int fd = plain.accept();
    write_all(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) > 0) continue;
    ::close(fd);
  });
  {
    Probe probe(*loop, "wss://localhost:" + std::to_string(plain.port));
    const auto closed = probe.next();
    INFO(closed.text);
    CHECK(closed.what == closed_by(CloseReason::tls));
    CHECK(closed.text.find("does it speak TLS") != std::string::npos);
  }
  answering.join();
}

TEST_CASE("a relay is told the name that it is called by, and no address") {
  TempDir folder;
  const Certificate shown = make_certificate(folder.path(), "relay", {});
  auto loop = *Loop::start();
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    BareTlsServer server(shown, TLS1_3_VERSION);
    {
      Probe probe(*loop, "wss://" + host + ":" + std::to_string(server.port()),
                  {.access = pinned(shown.pin)});
      // It hangs up after the handshake, which is told at once however lws finds out.
      const auto closed = probe.next();
      INFO(closed.text);
      CHECK(closed.what.rfind("closed", 0) == 0);
    }
    server.join();
    CHECK(server.server_name == (host == "localhost" ? "localhost" : "none"));
  }
}

TEST_CASE("an unusable CA file is our own error, told at once") {
  auto loop = *Loop::start();
  const RawListener never_asked;
  Probe probe(*loop, "wss://127.0.0.1:" + std::to_string(never_asked.port),
              {.access = {.ca_file = "/no/such/file.pem"}});
  const auto closed = probe.next();
  CHECK(closed.what == closed_by(CloseReason::local));
  CHECK(closed.text.find("/no/such/file.pem") != std::string::npos);
}
