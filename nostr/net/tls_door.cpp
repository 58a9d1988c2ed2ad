#include "ipnscast/nostr/net/tls_door.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kPartBytes = 16 * 1024;
constexpr int kTurns = 8;              // of one connection; then others have their turn
constexpr Seconds kFarewell{60};       // for what is left when the plain side has closed
constexpr Seconds kFarewellPause{10};  // and of those without taking anything of it
constexpr size_t kMaxFarewells = 64;   // nobody counts them among the connections any more

}  // namespace

// One connection: the client's socket with TLS on it, and our end of the pair.
class TlsLeg {
 public:
  // `outer` is the number of the other end of `plain`.
  TlsLeg(FdWatch& watch, SSL* ssl, UniqueFd client, UniqueFd plain, int outer)
      : watch_(watch),
        ssl_(ssl),
        client_(std::move(client)),
        plain_(std::move(plain)),
        outer_(outer) {
    SSL_set_fd(ssl_, client_.get());
    SSL_set_accept_state(ssl_);
    SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  ~TlsLeg() {
    watch_.forget(client_.get());
    watch_.forget(plain_.get());
    SSL_free(ssl_);
  }
  TlsLeg(const TlsLeg&) = delete;
  TlsLeg& operator=(const TlsLeg&) = delete;

  bool watch(FdWatch::Ready client_ready, FdWatch::Ready plain_ready) {
    client_events_ = plain_events_ = EPOLLIN;
    return watch_.watch(client_.get(), client_events_, std::move(client_ready)) &&
           watch_.watch(plain_.get(), plain_events_, std::move(plain_ready));
  }

  // Who stands behind has closed the socket. What it wrote before is still to go out.
  void plain_closed() {
    watch_.forget(plain_.get());  // it would be told for ever
    if (!closed_at_) closed_at_ = progress_ = std::chrono::steady_clock::now();
  }
  bool is_overdue(Instant now) const {
    return closed_at_ && (now >= *closed_at_ + kFarewell || now >= progress_ + kFarewellPause);
  }
  // Since when only the client's last bytes keep it.
  std::optional<Instant> closed_at() const { return closed_at_; }
  int outer() const { return outer_; }
  // The close of the client's socket, which follows, is a reset.
  void reset_on_close() {
    const linger hard{1, 0};
    ::setsockopt(client_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }

  // Moves what can be moved. False when the connection is over.
  bool move() {
    client_wants_ = 0;
    bool moved = true;
    for (int turn = 0; turn < kTurns && moved && !over_; ++turn) {
      const bool in = move_in();
      moved = move_out() || in;
    }
    const bool nobody_reads = closed_at_ || (client_ended_ && inward_.empty());
    if (over_ || (nobody_reads && goodbye_said_)) return false;
    if (moved) wait_for_another_turn();
    uint32_t plain = 0;
    if (!inward_.empty()) plain |= EPOLLOUT;
    if (outward_.empty() && !plain_ended_) plain |= EPOLLIN;
    change(client_, client_events_, client_wants_);
    change(plain_, plain_events_, plain);
    return true;
  }

 private:
  void change(const UniqueFd& fd, uint32_t& events, uint32_t wanted) {
    if (std::exchange(events, wanted) != wanted) watch_.change(fd.get(), wanted);
  }

  // All that is left to move stands in the sockets: a part holds the whole of a TLS record. One
  // that has closed is not watched any more.
  void wait_for_another_turn() {
    if (inward_.empty() && !client_ended_) client_wants_ |= EPOLLIN;
    const bool is_plain_watched = !plain_ended_ && !closed_at_;
    if (!outward_.empty() || (!is_plain_watched && !goodbye_said_)) client_wants_ |= EPOLLOUT;
  }

  // Tells the client that this is the end, once all else is written.
  void say_goodbye() {
    if (goodbye_said_) return;
    if (SSL_is_init_finished(ssl_) != 0) {
      ERR_clear_error();
      const int said = SSL_shutdown(ssl_);
      if (said < 0 && SSL_get_error(ssl_, said) == SSL_ERROR_WANT_WRITE) {
        client_wants_ |= EPOLLOUT;
        return;
      }
      ERR_clear_error();
    }
    goodbye_said_ = true;
    ::shutdown(client_.get(), SHUT_WR);
  }

  // Whether an operation came through; if not, what has to happen first.
  bool came_through(int result) {
    if (result > 0) return true;
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        client_wants_ |= EPOLLIN;
        break;
      case SSL_ERROR_WANT_WRITE:
        client_wants_ |= EPOLLOUT;
        break;
      case SSL_ERROR_ZERO_RETURN:
        client_ended_ = true;
        break;
      default:
        over_ = true;
    }
    ERR_clear_error();
    return false;
  }

  // Client to plain. True when something moved.
  bool move_in() {
    if (inward_.empty() && !client_ended_) {
      std::string part(kPartBytes, '\0');
      ERR_clear_error();
      const int got = SSL_read(ssl_, part.data(), static_cast<int>(part.size()));
      if (!came_through(got)) {
        if (client_ended_) ::shutdown(plain_.get(), SHUT_WR);
        return false;
      }
      inward_ = part.substr(0, static_cast<size_t>(got));
    }
    if (inward_.empty()) return false;
    if (closed_at_) {
      inward_.clear();
      return true;
    }
    const ssize_t sent = ::send(plain_.get(), inward_.data(), inward_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) over_ = true;
    if (sent <= 0) return false;
    inward_.erase(0, static_cast<size_t>(sent));
    return true;
  }

  // Plain to client.
  bool move_out() {
    if (outward_.empty() && !plain_ended_) {
      std::string part(kPartBytes, '\0');
      const ssize_t got = ::recv(plain_.get(), part.data(), part.size(), 0);
      if (got < 0) {
        over_ = over_ || errno != EAGAIN;
        return false;
      }
      if (got == 0) {
        plain_ended_ = true;
      } else {
        outward_ = part.substr(0, static_cast<size_t>(got));
      }
    }
    if (outward_.empty()) {
      if (plain_ended_) say_goodbye();
      return false;
    }
    ERR_clear_error();
    const int sent = SSL_write(ssl_, outward_.data(), static_cast<int>(outward_.size()));
    if (!came_through(sent)) return false;
    outward_.erase(0, static_cast<size_t>(sent));
    progress_ = std::chrono::steady_clock::now();
    return true;
  }

  FdWatch& watch_;
  SSL* const ssl_;
  UniqueFd client_;
  UniqueFd plain_;
  const int outer_;
  uint32_t client_events_ = 0;
  uint32_t plain_events_ = 0;
  uint32_t client_wants_ = 0;
  std::string inward_;   // read from the client, for the plain side
  std::string outward_;  // the other way
  bool client_ended_ = false;
  bool plain_ended_ = false;
  bool goodbye_said_ = false;
  bool over_ = false;
  std::optional<Instant> closed_at_;  // the plain side
  Instant progress_;                  // the client took something; set with closed_at_
};

TlsDoor::TlsDoor() = default;
TlsDoor::~TlsDoor() = default;

Status TlsDoor::open(const std::string& certificate_file, const std::string& key_file) {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  const bool usable =
      context_ && SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) == 1 &&
      SSL_CTX_use_certificate_chain_file(context_.get(), certificate_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context_.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(context_.get()) == 1;
  ERR_clear_error();
  if (!usable) return fail(Errc::invalid, "cannot use the TLS certificate " + certificate_file);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION);
  return {};
}

UniqueFd TlsDoor::pass(FdWatch& watch, UniqueFd client) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return {};
  UniqueFd inner(pair[0]);
  UniqueFd outer(pair[1]);
  SSL* const ssl = SSL_new(context_.get());
  if (ssl == nullptr) return {};
  bound_farewells();
  const uint64_t id = next_++;
  auto leg = std::make_unique<TlsLeg>(watch, ssl, std::move(client), std::move(inner), outer.get());
  const auto move = [this, id] {
    const auto found = legs_.find(id);
    if (found != legs_.end() && !found->second->move()) legs_.erase(found);
  };
  const auto client_ready = [this, id, move](uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      legs_.erase(id);
    } else {
      move();
    }
  };
  const auto plain_ready = [this, id, move](uint32_t events) {
    const auto found = legs_.find(id);
    if (found == legs_.end()) return;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) found->second->plain_closed();
    move();
  };
  const bool watched = leg->watch(client_ready, plain_ready);
  if (!watched) return {};
  legs_[id] = std::move(leg);
  return outer;
}

// Every connection of the server may turn into one at once, and then new ones take its place.
void TlsDoor::bound_farewells() {
  size_t count = 0;
  auto oldest = legs_.end();
  for (auto leg = legs_.begin(); leg != legs_.end(); ++leg) {
    const auto closed_at = leg->second->closed_at();
    if (!closed_at) continue;
    ++count;
    if (oldest == legs_.end() || *closed_at < *oldest->second->closed_at()) oldest = leg;
  }
  if (count >= kMaxFarewells) legs_.erase(oldest);
}

void TlsDoor::cut(int plain) {
  // One that has closed may have had the same number.
  auto newest = legs_.end();
  for (auto leg = legs_.begin(); leg != legs_.end(); ++leg) {
    if (leg->second->outer() != plain) continue;
    if (newest == legs_.end() || leg->first > newest->first) newest = leg;
  }
  if (newest == legs_.end()) return;
  newest->second->reset_on_close();
  legs_.erase(newest);
}

void TlsDoor::check(Instant now) {
  std::erase_if(legs_, [now](const auto& leg) { return leg.second->is_overdue(now); });
}

void TlsDoor::close() {
  for (const auto& [id, leg] : legs_) leg->move();  // the last words of those behind it
  legs_.clear();
}

}  // namespace ipnscast::nostr::net
