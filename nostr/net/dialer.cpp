#include "ipnscast/nostr/net/dialer.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ipnscast/nostr/base/file/secret_file.h"

namespace ipnscast::nostr::net {
namespace {

Closed dial_failure(CloseReason reason, std::string text, bool permanent = false) {
  return {reason, 0, std::move(text), permanent, {}};
}

}  // namespace

Dialer::Dialer(Loop::Impl& loop, RelayUrl url, std::optional<ProxyUrl> proxy, Done done)
    : loop_(loop), url_(std::move(url)), proxy_(std::move(proxy)), done_(std::move(done)) {
  loop_.at(std::chrono::steady_clock::now(), [self = self_] {
    if (*self != nullptr) (*self)->look_up();
  });
}

Dialer::~Dialer() {
  *self_ = nullptr;
  if (socket_) loop_.watch.forget(socket_.get());
  wipe_text(unsent_);
}

void Dialer::look_up() {
  if (!proxy_ && NameLookup::is_onion(url_.host())) {
    return finish(tl::unexpected(dial_failure(
        CloseReason::local,
        url_.host() + " is reached through Tor only: set a proxy, e.g. socks5://127.0.0.1:9050",
        true)));
  }
  if (proxy_) {
    if (auto why = refused_by_proxy(url_))
      return finish(tl::unexpected(dial_failure(CloseReason::forbidden, std::move(*why), true)));
  }
  const std::string& name = proxy_ ? proxy_->host : url_.host();
  if (NameLookup::is_address(name)) return addresses_found(std::vector<std::string>{name});
  const std::weak_ptr<Dialer*> asker = self_;
  loop_.names->look_up(name, asker, [loop = &loop_, asker](NameLookup::Found found) {
    loop->post([asker, found = std::move(found)]() mutable {
      if (const auto self = asker.lock(); self && *self != nullptr) {
        (*self)->addresses_found(std::move(found));
      }
    });
  });
}

void Dialer::addresses_found(NameLookup::Found found) {
  if (!found) {
    const NameLookup::Failure& why = found.error();
    if (proxy_) return proxy_failed(why.text);
    return finish(tl::unexpected(dial_failure(CloseReason::dns, why.text, why.permanent)));
  }
  race_ =
      std::make_unique<ConnectRace>(loop_, std::move(*found), proxy_ ? proxy_->port : url_.port(),
                                    proxy_ ? NamedBy::configuration : url_.named_by(),
                                    [this](auto socket) { connected(std::move(socket)); });
}

void Dialer::connected(tl::expected<UniqueFd, Closed> socket) {
  race_.reset();
  if (!socket && socket.error().reason == CloseReason::forbidden)
    socket.error().text = forbidden_text(url_, socket.error().text);
  if (!proxy_) return finish(std::move(socket));
  if (!socket) return proxy_failed(socket.error().text);
  socket_ = std::move(*socket);
  handshake_ = std::make_unique<ProxyHandshake>(*proxy_, url_.host(), url_.port());
  if (!loop_.watch.watch(socket_.get(), EPOLLIN | EPOLLOUT,
                         [this](uint32_t events) { proxy_ready(events); })) {
    proxy_failed(std::strerror(errno));
  }
}

void Dialer::proxy_ready(uint32_t events) {
  if (!write_to_proxy()) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !read_from_proxy()) return;
  switch (handshake_->state()) {
    case ProxyHandshake::State::failed:
      return proxy_failed(handshake_->problem());
    case ProxyHandshake::State::open:
      loop_.watch.forget(socket_.get());
      return finish(std::move(socket_));
    case ProxyHandshake::State::running:
      if (!write_to_proxy()) return;
      loop_.watch.change(socket_.get(), unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }
}

// False when it ended everything.
bool Dialer::write_to_proxy() {
  std::string more = handshake_->take_output();
  unsent_ += more;
  wipe_text(more);
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (sent < 0) {
      proxy_failed(std::strerror(errno));
      return false;
    }
    if (static_cast<size_t>(sent) == unsent_.size()) {
      wipe_text(unsent_);
    } else {
      unsent_.erase(0, static_cast<size_t>(sent));
    }
  }
  return true;
}

// Looks before it takes: the bytes after the handshake are the relay's, and lws reads them. False
// when it ended everything.
bool Dialer::read_from_proxy() {
  std::array<char, 2048> buffer;
  while (handshake_->state() == ProxyHandshake::State::running) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_PEEK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (got <= 0) {
      proxy_failed(got == 0 ? "it hung up during the handshake" : std::strerror(errno));
      return false;
    }
    const size_t used = handshake_->feed({buffer.data(), static_cast<size_t>(got)});
    (void)::recv(socket_.get(), buffer.data(), used, 0);
    if (!write_to_proxy()) return false;
  }
  return true;
}

void Dialer::proxy_failed(const std::string& why) {
  finish(tl::unexpected(dial_failure(CloseReason::proxy, "proxy " + proxy_->shown() + ": " + why)));
}

Closed Dialer::timed_out() const {
  if (handshake_) {
    return dial_failure(CloseReason::proxy,
                        "proxy " + proxy_->shown() + ": no answer to our request");
  }
  const std::string place = proxy_ ? proxy_->shown() : url_.host();
  if (!race_) {
    return dial_failure(CloseReason::dns,
                        place + ": no answer from the name server: is the network up?");
  }
  const auto reason = proxy_ ? CloseReason::proxy : CloseReason::timeout;
  return dial_failure(reason, place + ": no answer from " + race_->waiting_for());
}

void Dialer::finish(tl::expected<UniqueFd, Closed> result) {
  if (socket_) loop_.watch.forget(socket_.get());
  const Done done = done_;
  done(std::move(result));
}

}  // namespace ipnscast::nostr::net
