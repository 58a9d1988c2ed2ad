// Who gets in: the listening socket, the places, and who gives way when they are taken.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "ipnscast/nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr int kAcceptsInTurn =
    64;  // a flood of new connections must not starve those that are open
constexpr Milliseconds kRest{100};
constexpr Seconds kSweep{1};

struct Bound {
  UniqueFd fd;
  uint16_t port = 0;
};

Result<Bound> bind_listener(const std::string& address, uint16_t port) {
  const std::string place = address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return fail(Errc::invalid, "cannot listen on " + place + ": want a numeric address");
  }
  UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool ok = fd && ::bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 &&
                  ::listen(fd.get(), SOMAXCONN) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (!ok) return fail(Errc::io, "cannot listen on " + place + ": " + std::strerror(error));
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
  const uint16_t chosen = name.ss_family == AF_INET6
                              ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                              : reinterpret_cast<sockaddr_in*>(&name)->sin_port;
  return Bound{std::move(fd), ntohs(chosen)};
}

bool no_descriptors_left(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Status ServerImpl::open_listener() {
  auto bound = bind_listener(options_.address, options_.port);
  if (!bound) return fail(bound.error());
  listener_ = std::move(bound->fd);
  port_ = bound->port;
  if (!watch().watch(listener_.get(), EPOLLIN, [this](uint32_t) { accept_waiting(); }))
    return fail(Errc::io, "cannot watch the listening socket");
  return {};
}

void ServerImpl::accept_waiting() {
  for (int i = 0; i < kAcceptsInTurn; ++i) {
    sockaddr_storage name{};
    socklen_t size = sizeof(name);
    UniqueFd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (no_descriptors_left(errno) && !end_idlest(nullptr)) rest_from_accepting();
      return;
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    PeerAddress peer = peer_address(reinterpret_cast<const sockaddr&>(name));
    if (!make_place_for(peer.group)) continue;
    if (!options_.tls_cert_file.empty()) socket = tls_.pass(watch(), std::move(socket));
    if (!socket || !accept_one(std::move(socket), std::move(peer))) return;
  }
}

// Who waits would be told again and again.
void ServerImpl::rest_from_accepting() {
  if (std::exchange(resting_, true)) return;
  watch().change(listener_.get(), 0);
  loop_.at(std::chrono::steady_clock::now() + kRest, [self = self_] {
    if (*self == nullptr) return;
    (*self)->resting_ = false;
    (*self)->watch().change((*self)->listener_.get(), EPOLLIN);
  });
}

bool ServerImpl::accept_one(UniqueFd socket, PeerAddress peer) {
  const uint64_t id = loop_.impl().next_id++;
  auto made = std::make_unique<HttpConnection>(*this, id, std::move(socket), std::move(peer));
  if (!made->watch()) return false;
  OfAddress& of_address = per_address_[made->group()];
  http_[id] = std::move(made);
  ++of_address.all;
  ++of_address.http;
  if (!sweeping_) sweep();
  return true;
}

void ServerImpl::forget_address(const std::string& group) {
  const auto found = per_address_.find(group);
  if (--found->second.all == 0) per_address_.erase(found);
}

bool ServerImpl::has_places_left(const std::string& group) const {
  const auto found = per_address_.find(group);
  const OfAddress here = found == per_address_.end() ? OfAddress{} : found->second;
  const size_t most = options_.max_connections_per_address;
  return here.http < options_.max_http_connections_per_address && (most == 0 || here.all < most);
}

bool ServerImpl::has_room_for(const std::string& group) const {
  return http_.size() < options_.max_http_connections &&
         http_.size() + connections_.size() < options_.max_connections && has_places_left(group);
}

// An address that has used up its own places makes room among its own, and never at the expense of
// others. Where all places are taken, whoever has been idle for longest gives way.
bool ServerImpl::make_place_for(const std::string& group) {
  if (has_room_for(group)) return true;
  return end_idlest(has_places_left(group) ? nullptr : &group) && has_room_for(group);
}

bool ServerImpl::end_idlest(const std::string* of_group) {
  const Instant now = std::chrono::steady_clock::now();
  std::optional<HttpConnection::Idle> idlest;
  uint64_t id = 0;
  for (const auto& [candidate, http] : http_) {
    if (of_group != nullptr && http->group() != *of_group) continue;
    const auto idle = http->idle(now);
    if (!idle || (idlest && !(*idle < *idlest))) continue;
    idlest = idle;
    id = candidate;
  }
  if (!idlest) return false;
  http_over(id);
  return true;
}

void ServerImpl::reset_on_close(int fd) {
  if (!options_.tls_cert_file.empty()) return tls_.cut(fd);
  const linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

void ServerImpl::cut_slow_readers() {
  for (;;) {
    size_t total = 0;
    const HttpConnection* slowest = nullptr;
    uint64_t id = 0;
    for (const auto& [candidate, http] : http_) {
      const size_t unsent = http->unsent_bytes();
      total += unsent;
      if (unsent == 0 || (slowest && slowest->last_progress() <= http->last_progress())) continue;
      slowest = http.get();
      id = candidate;
    }
    if (total <= options_.max_unsent_http || slowest == nullptr) return;
    http_over(id);
  }
}

// Ends what takes too long, while there is anybody.
void ServerImpl::sweep() {
  const Instant now = std::chrono::steady_clock::now();
  std::vector<uint64_t> over;
  for (const auto& [id, http] : http_) {
    http->check(now);
    if (http->state() == HttpConnection::State::over) over.push_back(id);
  }
  for (const uint64_t id : over) http_over(id);
  cut_slow_readers();
  tls_.check(now);
  sweeping_ = !http_.empty() || !tls_.is_empty();
  if (!sweeping_) return;
  loop_.at(now + kSweep, [self = self_] {
    if (*self != nullptr) (*self)->sweep();
  });
}

}  // namespace ipnscast::nostr::net
