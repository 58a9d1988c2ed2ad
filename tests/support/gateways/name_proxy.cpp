#include "ipnscast/tests/support/gateways/name_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace ipnscast::test {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

std::string take(int fd, size_t count) {
  std::string out(count, '\0');
  const ssize_t got = ::recv(fd, out.data(), count, MSG_WAITALL);
  out.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return out;
}

bool give(int fd, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return true;
}

// Until one side has gone. Counts what comes from `b`.
void pump(int a, int b, std::atomic<size_t>& received) {
  std::array<char, 16384> buffer;
  while (true) {
    pollfd both[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (::poll(both, 2, -1) < 0) return;
    for (int i = 0; i < 2; ++i) {
      if (both[i].revents == 0) continue;
      const ssize_t got = ::recv(both[i].fd, buffer.data(), buffer.size(), 0);
      if (i == 1 && got > 0) received += static_cast<size_t>(got);
      if (got <= 0 || !give(both[1 - i].fd, buffer.data(), static_cast<size_t>(got))) return;
    }
  }
}

}  // namespace

NameProxy::NameProxy() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof(name);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&name), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this] { serve(); });
}

NameProxy::~NameProxy() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
  for (std::thread& talk : talks_) talk.join();
  for (const int fd : sockets_) ::close(fd);
  ::close(listener_);
}

std::vector<std::string> NameProxy::take_asked() {
  const std::lock_guard lock(mutex_);
  return std::exchange(asked_, {});
}

void NameProxy::drop_all() {
  const std::lock_guard lock(mutex_);
  for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
}

void NameProxy::pause() {
  paused_ = true;
  drop_all();
}

void NameProxy::serve() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (paused_) {
      ::close(client);
      continue;
    }
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    talks_.emplace_back([this, client] { talk(client); });
  }
}

// RFC 1928: no authentication, CONNECT, names only.
void NameProxy::talk(int client) {
  const std::string greeting = take(client, 2);
  if (greeting.size() == 2) take(client, static_cast<unsigned char>(greeting[1]));
  give(client, "\x05\x00", 2);
  const std::string head = take(client, 5);
  if (head.size() == 5 && head[3] == '\x03') {
    const std::string host = take(client, static_cast<unsigned char>(head[4]));
    const std::string port_bytes = take(client, 2);
    const auto port = static_cast<uint16_t>(static_cast<unsigned char>(port_bytes[0]) * 256 +
                                            static_cast<unsigned char>(port_bytes[1]));
    const int relay = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(host + ":" + std::to_string(port));
      sockets_.push_back(relay);
    }
    const sockaddr_in name = loopback(port);
    const bool open = ::connect(relay, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
    const char answer[] = {5, static_cast<char>(open ? 0 : 5), 0, 1, 127, 0, 0, 1, 0, 0};
    give(client, answer, sizeof(answer));
    if (open) pump(client, relay, received_);
    ::shutdown(relay, SHUT_RDWR);
  }
  ::shutdown(client, SHUT_RDWR);
}

}  // namespace ipnscast::test
