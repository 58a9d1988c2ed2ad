#include "ipnscast/tests/support/relays/net_peers.h"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {
namespace {

using namespace nostr;
using namespace nostr::net;

// RFC 6455 section 4.2.2.
std::string websocket_accept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> digest;
  SHA1(as_bytes(text).data(), text.size(), digest.data());
  return to_base64(digest);
}

}  // namespace

RawListener::RawListener(const std::string& address, uint16_t wanted_port, int backlog) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  REQUIRE(getaddrinfo(address.c_str(), std::to_string(wanted_port).c_str(), &hints, &found) == 0);
  fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int bound = ::bind(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  REQUIRE(bound == 0);
  REQUIRE(::listen(fd, backlog) == 0);
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  std::array<char, NI_MAXSERV> text{};
  ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, nullptr, 0, text.data(), text.size(),
                NI_NUMERICSERV);
  port = static_cast<uint16_t>(std::stoi(text.data()));
}

RawListener::~RawListener() { ::close(fd); }

int RawListener::accept() const { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC); }

int connect_to(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0) return fd;
  ::close(fd);
  return -1;
}

bool listens(uint16_t port) {
  const int fd = connect_to(port);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

std::string websocket_answer(const std::string& request, const std::string& more_lines) {
  const size_t at = request.find("Sec-WebSocket-Key: ") + 19;
  const std::string key = request.substr(at, request.find('\r', at) - at);
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         websocket_accept(key) + "\r\n" + more_lines + "\r\n";
}

std::string read_until(int fd, const std::string& end) {
  std::string out;
  std::array<char, 4096> buffer;
  while (out.find(end) == std::string::npos) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    out.append(buffer.data(), static_cast<size_t>(got));
  }
  return out;
}

void write_all(int fd, const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t part = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (part <= 0) return;
    sent += static_cast<size_t>(part);
  }
}

Probe::Probe(Loop& l, const std::string& url, ClientOptions options) : loop(l) {
  loop.run([&] {
    ClientHandlers handlers;
    handlers.opened = [this] { events.push_reserved({"opened", "", {}}); };
    handlers.frame = [this](std::string f) { events.push_reserved({"frame", std::move(f), {}}); };
    handlers.closed = [this](const Closed& c) {
      events.push_reserved({closed_by(c.reason), c.text, c});
    };
    socket = connect(loop, *RelayUrl::parse(url), std::move(options), std::move(handlers));
  });
}

Probe::~Probe() {
  loop.run([this] { socket.reset(); });
}

Probe::Event Probe::next() {
  auto event = events.pop_until(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  return event ? *event : Event{"nothing", "", {}};
}

void Probe::send(std::string frame) {
  loop.run([&] { socket->send(std::move(frame)); });
}

std::string closed_by(CloseReason reason) {
  return "closed " + std::to_string(static_cast<int>(reason));
}

std::unique_ptr<WebSocketServer> echo_server(Loop& loop, ServerOptions options,
                                             std::unique_ptr<WebSocketServer>*& self) {
  ServerHandlers handlers;
  handlers.frame = [&self](ServerConnectionId id, std::string frame) {
    if (frame == "close me") {
      (*self)->close(id);
    } else {
      (*self)->send(id, std::make_shared<const std::string>(std::move(frame)));
    }
    return true;
  };
  auto server = listen(loop, std::move(options), std::move(handlers));
  REQUIRE(server);
  return std::move(*server);
}

std::string url_of(const WebSocketServer& server) {
  return "ws://127.0.0.1:" + std::to_string(server.port());
}

}  // namespace ipnscast::test
