#include "nostr/net/connect_race.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ipnscast::nostr::net {
namespace {

constexpr Milliseconds kHeadStart{250};  // RFC 8305 section 8, "Connection Attempt Delay"

}  // namespace

ConnectRace::ConnectRace(Loop::Impl& loop, std::vector<std::string> addresses, uint16_t port,
                         Done done)
    : loop_(loop), addresses_(std::move(addresses)), port_(port), done_(std::move(done)) {
  later(Milliseconds(0));
}

ConnectRace::~ConnectRace() {
  *self_ = nullptr;
  for (auto& [fd, attempt] : under_way_) loop_.watch.forget(fd);
}

void ConnectRace::later(Milliseconds wait) {
  loop_.at(std::chrono::steady_clock::now() + wait, [self = self_, turn = next_] {
    if (*self != nullptr && (*self)->next_ == turn) (*self)->start_next();
  });
}

void ConnectRace::start_next() {
  while (next_ < addresses_.size()) {
    const std::string& address = addresses_[next_++];
    const int error = begin(address);
    if (error == 0) return later(kHeadStart);
    failures_.emplace_back(address, error);
  }
  if (under_way_.empty()) finish(tl::unexpected(verdict()));
}

int ConnectRace::begin(const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port_).c_str(), &hints, &found) != 0) {
    return EADDRNOTAVAIL;
  }
  UniqueFd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = socket ? 0 : errno;
  if (socket) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
      error = errno;
    }
  }
  freeaddrinfo(found);
  if (error != 0) return error;
  const int fd = socket.get();
  if (!loop_.watch.watch(fd, EPOLLOUT, [this, fd](uint32_t) { answered(fd); })) return errno;
  under_way_[fd] = {std::move(socket), address};
  return 0;
}

void ConnectRace::answered(int fd) {
  Attempt attempt = std::move(under_way_.at(fd));
  loop_.watch.forget(fd);
  under_way_.erase(fd);
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return finish(std::move(attempt.socket));
  failures_.emplace_back(attempt.address, error);
  start_next();
}

std::string ConnectRace::waiting_for() const {
  std::string out;
  for (const auto& [fd, attempt] : under_way_) {
    out += (out.empty() ? "" : " and ") + attempt.address;
  }
  return out;
}

Closed ConnectRace::verdict() const {
  // A refusal says most: there is a host, and the network is fine.
  const auto refusal = std::find_if(failures_.begin(), failures_.end(), [](const auto& failure) {
    return failure.second == ECONNREFUSED;
  });
  const auto& [address, error] = refusal == failures_.end() ? failures_.back() : *refusal;
  Closed out;
  out.text = address + ", port " + std::to_string(port_) + ": ";
  if (error == ECONNREFUSED) {
    out.reason = CloseReason::refused;
    out.text += "nothing listens there: is the relay up, and the port right?";
  } else if (error == ETIMEDOUT) {
    out.reason = CloseReason::timeout;
    out.text += "no answer";
  } else {
    out.reason = CloseReason::unreachable;
    out.text += std::strerror(error);
  }
  if (failures_.size() > 1) {
    out.text += " (" + std::to_string(failures_.size()) + " addresses failed)";
  }
  return out;
}

void ConnectRace::finish(tl::expected<UniqueFd, Closed> result) {
  for (auto& [fd, attempt] : under_way_) loop_.watch.forget(fd);
  under_way_.clear();
  next_ = addresses_.size() + 1;  // no later turn is ours
  const Done done = done_;
  done(std::move(result));
}

}  // namespace ipnscast::nostr::net
