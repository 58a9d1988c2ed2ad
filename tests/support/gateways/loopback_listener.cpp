#include "ipnscast/tests/support/gateways/loopback_listener.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
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

}  // namespace

LoopbackListener::LoopbackListener(Talk talk) : talk_(std::move(talk)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof(name);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&name), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackListener::~LoopbackListener() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  drop_all();
  for (std::thread& talk : talks_) talk.join();
  for (const int fd : sockets_) ::close(fd);
  ::close(listener_);
}

std::optional<int> LoopbackListener::connect(uint16_t port) {
  const int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(out);
  }
  const sockaddr_in name = loopback(port);
  if (::connect(out, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0)
    return std::nullopt;
  return out;
}

void LoopbackListener::drop_all() {
  const std::lock_guard lock(mutex_);
  for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
}

void LoopbackListener::pause() {
  paused_ = true;
  drop_all();
}

void LoopbackListener::serve() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (paused_) {
      ::close(client);
      continue;
    }
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    talks_.emplace_back([this, client] {
      talk_(client);
      ::shutdown(client, SHUT_RDWR);
    });
  }
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

void pump(int a, int b, const std::function<void(char* bytes, size_t count)>& from_b) {
  std::array<char, 16384> buffer;
  for (bool both_there = true; both_there;) {
    pollfd both[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (::poll(both, 2, -1) < 0) break;
    for (int i = 0; both_there && i < 2; ++i) {
      if (both[i].revents == 0) continue;
      const ssize_t got = ::recv(both[i].fd, buffer.data(), buffer.size(), 0);
      const size_t count = got > 0 ? static_cast<size_t>(got) : 0;
      if (i == 1) from_b(buffer.data(), count);
      both_there = count > 0 && give(both[1 - i].fd, buffer.data(), count);
    }
  }
  ::shutdown(b, SHUT_RDWR);
}

}  // namespace ipnscast::test
