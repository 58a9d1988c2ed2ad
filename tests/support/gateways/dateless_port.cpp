#include "ipnscast/tests/support/gateways/dateless_port.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <string_view>

namespace ipnscast::test {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// Goes over a stream as it comes, in pieces of any size.
class DateEraser {
 public:
  void erase(char* bytes, size_t count) {
    for (char* at = bytes; at != bytes + count; ++at) {
      if (matched_ == kHeader.size() && *at != '\r') {
        *at = 'x';
      } else {
        const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
        if (matched_ == kHeader.size() || letter != kHeader[matched_]) matched_ = 0;
        if (letter == kHeader[matched_]) ++matched_;
      }
    }
  }

 private:
  static constexpr std::string_view kHeader = "\ndate: ";
  size_t matched_ = 0;
};

bool give(int fd, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

DatelessPort::DatelessPort(const std::string& url)
    : scheme_(url.substr(0, url.rfind(':') + 1)),
      behind_(static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof(name);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&name), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this] { serve(); });
}

DatelessPort::~DatelessPort() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
  for (std::thread& talk : talks_) talk.join();
  for (const int fd : sockets_) ::close(fd);
  ::close(listener_);
}

void DatelessPort::serve() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in name = loopback(behind_);
    const std::lock_guard lock(mutex_);
    sockets_.insert(sockets_.end(), {client, server});
    if (::connect(server, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0)
      talks_.emplace_back([this, client, server] { talk(client, server); });
    else
      ::shutdown(client, SHUT_RDWR);
  }
}

// Until one side has gone.
void DatelessPort::talk(int client, int server) {
  DateEraser eraser;
  std::array<char, 16384> buffer;
  for (bool both_there = true; both_there;) {
    pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(both, 2, -1) < 0) break;
    for (int i = 0; both_there && i < 2; ++i) {
      if (both[i].revents == 0) continue;
      const ssize_t got = ::recv(both[i].fd, buffer.data(), buffer.size(), 0);
      const size_t count = got > 0 ? static_cast<size_t>(got) : 0;
      if (i == 1) eraser.erase(buffer.data(), count);
      both_there = count > 0 && give(both[1 - i].fd, buffer.data(), count);
    }
  }
  ::shutdown(client, SHUT_RDWR);
  ::shutdown(server, SHUT_RDWR);
}

}  // namespace ipnscast::test
