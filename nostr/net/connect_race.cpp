#include "ipnscast/nostr/net/connect_race.h"

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
                         NamedBy named_by, Done done)
    : loop_(loop),
      addresses_(std::move(addresses)),
      port_(port),
      named_by_(named_by),
      done_(std::move(done)) {
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
    const auto failed = begin(address);
    if (!failed) return later(kHeadStart);
    failures_.emplace_back(address, *failed);
  }
  if (under_way_.empty()) finish(tl::unexpected(verdict()));
}

std::optional<ConnectFailure> ConnectRace::begin(const std::string& address) {
  auto socket = begin_connect(address, port_, named_by_);
  if (!socket) return socket.error();
  const int fd = socket->get();
  if (!loop_.watch.watch(fd, EPOLLOUT, [this, fd](uint32_t) { answered(fd); }))
    return ConnectFailure{errno};
  under_way_[fd] = {std::move(*socket), address};
  return std::nullopt;
}

void ConnectRace::answered(int fd) {
  Attempt attempt = std::move(under_way_.at(fd));
  loop_.watch.forget(fd);
  under_way_.erase(fd);
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return finish(std::move(attempt.socket));
  failures_.emplace_back(attempt.address, ConnectFailure{error});
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
  // A refusal says most: there is a host, and the network is fine. What we did not try, least.
  const auto first = [this](auto fits) {
    return std::find_if(failures_.begin(), failures_.end(),
                        [&fits](const auto& failure) { return fits(failure.second); });
  };
  auto told = first([](const ConnectFailure& why) { return why.error == ECONNREFUSED; });
  if (told == failures_.end())
    told = first([](const ConnectFailure& why) { return !why.forbidden; });
  if (told == failures_.end()) told = failures_.begin();
  const std::string& address = told->first;
  const int error = told->second.error;
  if (told->second.forbidden) return {CloseReason::forbidden, 0, address, true, {}};
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
