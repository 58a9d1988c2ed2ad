// R40: what clients of a TLS port can hold is bounded, and a cut looks like one behind TLS too.
#include "ipnscast/nostr/net/tls_door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/own_process.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/test_certificates.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;
using namespace std::chrono_literals;

namespace {

UniqueFd tcp_socket() { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

sockaddr_in loopback(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

void set_buffer(int fd, int which, int bytes) {
  ::setsockopt(fd, SOL_SOCKET, which, &bytes, sizeof(bytes));
}

// A TLS client that does nothing by itself.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port) : fd_(tcp_socket()) {
    set_buffer(fd_.get(), SO_RCVBUF, 4096);
    const sockaddr_in to = loopback(port);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0);
    context_.reset(SSL_CTX_new(TLS_client_method()));
    ssl_ = SSL_new(context_.get());
    SSL_set_fd(ssl_, fd_.get());
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() { SSL_free(ssl_); }

  SSL* ssl() const { return ssl_; }
  void do_not_block() const {
    int on = 1;
    ::ioctl(fd_.get(), FIONBIO, &on);
    SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  // Reads to the end: whether that was said, or the connection just broke.
  bool ends_with_goodbye() const {
    char buffer[16384];
    int got = 0;
    while ((got = SSL_read(ssl_, buffer, sizeof(buffer))) > 0) {
    }
    return SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  UniqueFd fd_;
  TlsContext context_;
  SSL* ssl_ = nullptr;
};

// A door on the thread of the test.
struct DoorStage {
  struct Passed {
    std::unique_ptr<TlsClient> client;
    UniqueFd plain;
    int accepted = -1;  // the door's
  };

  DoorStage() {
    REQUIRE(watch.open());
    const Certificate own = make_certificate(folder.path(), "door", {});
    REQUIRE(door.open(own.certificate.string(), own.key.string()));
    sockaddr_in name = loopback(0);
    socklen_t size = sizeof(name);
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::listen(listener.get(), 10) == 0);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size);
    port = ntohs(name.sin_port);
  }
  ~DoorStage() { door.close(); }

  // A client that has shaken hands.
  Passed pass() {
    Passed out;
    out.client = std::make_unique<TlsClient>(port);
    out.client->do_not_block();
    UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    REQUIRE(accepted);
    set_buffer(accepted.get(), SO_SNDBUF, 4096);
    set_buffer(accepted.get(), SO_RCVBUF, 1 << 20);
    out.accepted = accepted.get();
    out.plain = door.pass(watch, std::move(accepted));
    REQUIRE(out.plain);
    while (SSL_connect(out.client->ssl()) != 1) watch.serve();
    return out;
  }
  // Much to read, and then nobody behind the door any more.
  void leave_much_unread(Passed& passed) {
    const std::string much(100'000, 'x');
    CHECK(::send(passed.plain.get(), much.data(), much.size(), MSG_NOSIGNAL) > 50'000);
    for (int i = 0; i < 5; ++i) watch.serve();
    passed.plain = {};
    for (int i = 0; i < 5; ++i) watch.serve();
  }

  TempDir folder;
  FdWatch watch;
  TlsDoor door;
  UniqueFd listener = tcp_socket();
  uint16_t port = 0;
};

}  // namespace

TEST_CASE("R40: connections that only wait for their clients to read are few, and not for long") {
  DoorStage stage;
  constexpr size_t kClients = 100;
  const size_t before = count_of_own("fd");
  std::vector<DoorStage::Passed> all;
  for (size_t i = 0; i < kClients; ++i) {
    all.push_back(stage.pass());
    stage.leave_much_unread(all.back());
  }
  const size_t of_door = count_of_own("fd") - before - kClients;
  CHECK(of_door <= 2 * 65);
  CHECK(of_door >= 2 * 10);
  stage.door.check(std::chrono::steady_clock::now() + 11s);
  CHECK(stage.door.is_empty());
}

TEST_CASE("R40: a client that sends without end has its turn and no more") {
  DoorStage stage;
  DoorStage::Passed passed = stage.pass();
  stage.leave_much_unread(passed);
  const std::string part(16384, 'x');
  while (SSL_write(passed.client->ssl(), part.data(), static_cast<int>(part.size())) > 0) {
  }
  const auto waiting = [&] {
    int bytes = 0;
    ::ioctl(passed.accepted, FIONREAD, &bytes);
    return bytes;
  };
  REQUIRE(waiting() > 140'000);
  stage.watch.serve();
  CHECK(waiting() > 0);
  for (int i = 0; i < 200 && waiting() > 0; ++i) stage.watch.serve();
  CHECK(waiting() == 0);
}

TEST_CASE("R20: a cut behind TLS is no goodbye, and the end of a whole answer is one") {
  const TempDir folder;
  const Certificate own = make_certificate(folder.path(), "server", {});
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(
      *loop, {.tls_cert_file = own.certificate.string(), .tls_key_file = own.key.string()},
      {.http = [](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
        reply->begin(200, {});
        reply->write(Bytes(100'000, uint8_t{'a'}));
        request.path == "/cut" ? reply->abort() : reply->finish();
      }});
  for (const std::string path : {"/whole", "/cut"}) {
    INFO(path);
    TlsClient client(server->port());
    REQUIRE(SSL_connect(client.ssl()) == 1);
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    SSL_write(client.ssl(), request.data(), static_cast<int>(request.size()));
    CHECK(client.ends_with_goodbye() == (path == "/whole"));
  }
}
