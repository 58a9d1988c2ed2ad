#include "ipnscast/tests/support/gateways/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace ipnscast::test {

RawClient::RawClient(uint16_t port, const char* from)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &own.sin_addr);
  ::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof(own));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return;
  ::close(fd_);
  throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), was_reset_(other.was_reset_) {}

size_t RawClient::send(std::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    pollfd wanted{fd_, POLLOUT, 0};
    if (::poll(&wanted, 1, 1000) <= 0) break;
    const ssize_t part =
        ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (part < 0) break;
    sent += static_cast<size_t>(part);
  }
  return sent;
}

size_t RawClient::send_now(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

void RawClient::end_sending() { ::shutdown(fd_, SHUT_WR); }

std::string RawClient::read(std::string_view text, std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + time;
  std::string out;
  char buffer[65536];
  while (text.empty() || out.find(text) == std::string::npos) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wanted{fd_, POLLIN, 0};
    if (left <= 0 || ::poll(&wanted, 1, static_cast<int>(left)) <= 0) break;
    const ssize_t got = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0) {
      ended_ = true;
      was_reset_ = got < 0 && errno == ECONNRESET;
      break;
    }
    out.append(buffer, static_cast<size_t>(got));
  }
  return out;
}

void RawClient::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  ::close(std::exchange(fd_, -1));
}

size_t count_answers(std::string_view text) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  size_t out = 0;
  for (size_t at = text.find(kStart); at != text.npos; at = text.find(kStart, at + 1)) {
    const std::string_view status = text.substr(at + kStart.size(), 3);
    if (status.find_first_not_of("0123456789") == status.npos) ++out;
  }
  return out;
}

}  // namespace ipnscast::test
