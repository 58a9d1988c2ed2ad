#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

// A proxy, and the relay behind it, played by the test on one connection.
class ScriptedProxy {
 public:
  explicit ScriptedProxy(std::function<void(int)> script)
      : thread_([this, script = std::move(script)] {
          const int fd = listener_.accept();
          script(fd);
          ::shutdown(fd, SHUT_WR);
          char byte = 0;
          while (::recv(fd, &byte, 1, 0) > 0) continue;  // until the client has gone
          ::close(fd);
        }) {}
  ~ScriptedProxy() { thread_.join(); }

  ProxyUrl url(const std::string& kind, const std::string& user = "") const {
    return *ProxyUrl::parse(kind + "://" + user + "127.0.0.1:" + std::to_string(listener_.port));
  }

 private:
  RawListener listener_;
  std::thread thread_;
};

std::string take(int fd, size_t count) {
  std::string out(count, '\0');
  size_t have = 0;
  while (have < count) {
    const ssize_t got = ::recv(fd, out.data() + have, count - have, 0);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  out.resize(have);
  return out;
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

const std::string kGreetingAnswer = bytes({5, 0});
const std::string kConnected = bytes({5, 0, 0, 1, 127, 0, 0, 1, 0, 80});

// What the relay behind the proxy does: accepts the upgrade and says "hi".
void play_relay(int fd) {
  write_all(fd, websocket_answer(read_until(fd, "\r\n\r\n")) + bytes({0x81, 2}) + "hi");
}

}  // namespace

TEST_CASE("a relay is reached through SOCKS5, and its name is never looked up here") {
  auto loop = *Loop::start();
  std::string greeting;
  std::string request;
  const ScriptedProxy proxy([&](int fd) {
    greeting = take(fd, 3);
    write_all(fd, kGreetingAnswer);
    request = take(fd, 5 + 21 + 2);
    write_all(fd, kConnected);
    play_relay(fd);
  });
  Probe probe(*loop, "ws://no-such-relay.invalid:4848",
              {.access = {.proxy = proxy.url("socks5h")}});
  REQUIRE(probe.next().what == "opened");
  CHECK(probe.next().text == "hi");
  CHECK(greeting == bytes({5, 1, 0}));
  CHECK(request ==
        bytes({5, 1, 0, 3, 21}) + "no-such-relay.invalid" + bytes({4848 / 256, 4848 % 256}));
}

TEST_CASE("an onion relay goes through the proxy, with user and password, byte by byte") {
  auto loop = *Loop::start();
  std::string credentials;
  std::string request;
  const auto slowly = [](int fd, const std::string& text) {
    for (const char c : text) {
      write_all(fd, std::string(1, c));
      ::usleep(1000);  // so that each arrives by itself
    }
  };
  const ScriptedProxy proxy([&](int fd) {
    take(fd, 4);
    slowly(fd, bytes({5, 2}));
    credentials = take(fd, 2 + 2 + 1 + 4);
    slowly(fd, bytes({1, 0}));
    request = take(fd, 5 + 11 + 2);
    slowly(fd, bytes({5, 0, 0, 3, 4}) + "none" + bytes({0, 0}));
    play_relay(fd);
  });
  Probe probe(*loop, "ws://relay.onion", {.access = {.proxy = proxy.url("socks5", "me:p%40ss@")}});
  REQUIRE(probe.next().what == "opened");
  CHECK(probe.next().text == "hi");
  CHECK(credentials == bytes({1, 2}) + "me" + bytes({4}) + "p@ss");
  CHECK(request == bytes({5, 1, 0, 3, 11}) + "relay.onion" + bytes({0, 80}));
}

TEST_CASE("an onion name is never looked up: without a proxy it is one clear error") {
  auto loop = *Loop::start();
  Probe probe(*loop, "ws://relay.onion");
  const auto closed = probe.next();
  CHECK(closed.what == closed_by(CloseReason::local));
  CHECK(closed.text.find("set a proxy") != std::string::npos);
  CHECK(closed.closed.permanent);
}

TEST_CASE("what a SOCKS5 proxy refuses is told in words") {
  struct Case {
    std::string answers;
    std::string said;
  };
  const Case all[] = {{bytes({5, 0xff}), "wants a user and a password"},
                      {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"},
                      {bytes({5, 0, 5, 5, 0, 1, 0}), "the relay refused the connection"},
                      {bytes({5, 0, 5, 4, 0, 1, 0}), "cannot reach or find"},
                      {bytes({5, 0, 5, 0xf0, 0, 1, 0}), "onion service was not found"},
                      {bytes({5, 0, 5, 0, 0, 9, 0}), "not SOCKS5"},
                      {bytes({5, 0, 5, 0, 0, 1}), "hung up"}};
  auto loop = *Loop::start();
  for (const Case& one : all) {
    const ScriptedProxy proxy([&](int fd) { write_all(fd, one.answers); });
    Probe probe(*loop, "ws://relay.example", {.access = {.proxy = proxy.url("socks5")}});
    const auto closed = probe.next();
    INFO(closed.text);
    CHECK(closed.what == closed_by(CloseReason::proxy));
    CHECK(closed.text.find(one.said) != std::string::npos);
    CHECK(closed.text.find("socks5://127.0.0.1:") != std::string::npos);
  }
}

TEST_CASE("a relay is reached through an HTTP proxy, which gets its name") {
  auto loop = *Loop::start();
  std::string request;
  const ScriptedProxy proxy([&](int fd) {
    request = read_until(fd, "\r\n\r\n");
    write_all(fd, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    play_relay(fd);
  });
  Probe probe(*loop, "ws://no-such-relay.invalid",
              {.access = {.proxy = proxy.url("http", "user:word@")}});
  REQUIRE(probe.next().what == "opened");
  CHECK(probe.next().text == "hi");
  CHECK(request ==
        "CONNECT no-such-relay.invalid:80 HTTP/1.1\r\nHost: no-such-relay.invalid:80\r\n"
        "Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n\r\n");
}

TEST_CASE("what an HTTP proxy refuses is told in words") {
  struct Case {
    std::string answer;
    std::string said;
  };
  const Case all[] = {{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407 (it wants"},
                      {"HTTP/1.0 502 Bad Gateway\r\n\r\n", "could not reach the relay"},
                      {bytes({5, 0}) + "\r\n\r\n", "does not speak HTTP"},
                      {"HTTP/1.1 200 OK\r\nX: " + std::string(9000, 'x'), "longer than 8 KiB"}};
  auto loop = *Loop::start();
  for (const Case& one : all) {
    const ScriptedProxy proxy([&](int fd) { write_all(fd, one.answer); });
    Probe probe(*loop, "ws://relay.example", {.access = {.proxy = proxy.url("http")}});
    const auto closed = probe.next();
    INFO(closed.text);
    CHECK(closed.what == closed_by(CloseReason::proxy));
    CHECK(closed.text.find(one.said) != std::string::npos);
  }
}

TEST_CASE(
    "a proxy that is down, silent or without a name is the proxy's failure, not the relay's") {
  auto loop = *Loop::start();
  uint16_t free_port = 0;
  {
    const RawListener gone;
    free_port = gone.port;
  }
  Probe down(
      *loop, "ws://relay.example",
      {.access = {.proxy = *ProxyUrl::parse("socks5://127.0.0.1:" + std::to_string(free_port))}});
  CHECK(down.next().what == closed_by(CloseReason::proxy));
  Probe nameless(*loop, "ws://relay.example",
                 {.access = {.proxy = *ProxyUrl::parse("http://no-such-proxy.invalid:3128")}});
  CHECK(nameless.next().what == closed_by(CloseReason::proxy));
  const RawListener deaf;
  Probe silent(
      *loop, "ws://relay.example",
      {.connect_timeout = std::chrono::milliseconds(300),
       .access = {.proxy = *ProxyUrl::parse("socks5://127.0.0.1:" + std::to_string(deaf.port))}});
  const auto closed = silent.next();
  INFO(closed.text);
  CHECK(closed.what == closed_by(CloseReason::proxy));
  CHECK(closed.text.find("no answer to our request") != std::string::npos);
}

namespace {

// A proxy as Debian has it, on a free port; it wants user "me" and password "secret".
class DebianProxy {
 public:
  explicit DebianProxy(const std::function<std::vector<std::string>(const std::string& port)>& argv)
      : port_(free_port()), process_({.argv = argv(std::to_string(port_))}) {}

  // False when the program is not there.
  bool comes_up() {
    const Instant deadline = std::chrono::steady_clock::now() + Seconds(10);
    while (std::chrono::steady_clock::now() < deadline) {
      if (listens(port_)) return true;
      if (process_.wait(Milliseconds(20))) return false;
    }
    return false;
  }
  ProxyUrl url(const std::string& kind, const std::string& password) const {
    return *ProxyUrl::parse(kind + "://me:" + password + "@127.0.0.1:" + std::to_string(port_));
  }

 private:
  static uint16_t free_port() { return RawListener().port; }

  const uint16_t port_;
  Process process_;
};

void check_frames_pass(const DebianProxy& proxy, const std::string& kind,
                       const std::string& refusal) {
  auto loop = *Loop::start();
  std::unique_ptr<WebSocketServer> server;
  auto* self = &server;
  server = echo_server(*loop, {}, self);
  {
    Probe probe(*loop, "ws://localhost:" + std::to_string(server->port()),
                {.access = {.proxy = proxy.url(kind, "secret")}});
    const auto opened = probe.next();
    INFO(opened.text);
    REQUIRE(opened.what == "opened");
    for (const size_t size : {1, 65536, 900000}) {
      const std::string frame(size, 'x');
      probe.send(frame);
      CHECK(probe.next().text == frame);
    }
    Probe wrong(*loop, url_of(*server), {.access = {.proxy = proxy.url(kind, "wrong")}});
    const auto closed = wrong.next();
    INFO(closed.text);
    CHECK(closed.what == closed_by(CloseReason::proxy));
    CHECK(closed.text.find(refusal) != std::string::npos);
    CHECK(closed.text.find("wrong") == std::string::npos);
  }
  server.reset();
}

}  // namespace

TEST_CASE("frames of any size pass microsocks, as Debian has it") {
  DebianProxy proxy([](const std::string& port) {
    return std::vector<std::string>{"microsocks", "-i", "127.0.0.1", "-p",    port,
                                    "-u",         "me", "-P",        "secret"};
  });
  if (!proxy.comes_up()) SKIP_TEST("microsocks is not installed");
  check_frames_pass(proxy, "socks5", "refused the user or the password");
}

TEST_CASE("frames of any size pass tinyproxy, as Debian has it") {
  const TempDir dir;
  const auto file = dir.path() / "tinyproxy.conf";
  DebianProxy proxy([&](const std::string& port) {
    std::ofstream(file) << "Port " << port
                        << "\nListen 127.0.0.1\nAllow 127.0.0.1\nMaxClients 20\nTimeout 600\n"
                           "BasicAuth me secret\n";
    return std::vector<std::string>{"tinyproxy", "-d", "-c", file.string()};
  });
  if (!proxy.comes_up()) SKIP_TEST("tinyproxy is not installed");
  check_frames_pass(proxy, "http", "wants a user and a password");  // by HTTP 401
}
