#include "ipnscast/nostr/net/stream/raw_stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ipnscast/nostr/net/stream/proxy_handshake.h"
#include "ipnscast/nostr/net/stream/tls_client.h"

namespace ipnscast::nostr::net {
namespace {

constexpr Milliseconds kLookAround{50};
constexpr size_t kPart = 16 * 1024;

std::string system_words(int error) { return std::strerror(error); }

std::string ssl_words() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "the connection was closed" : reason;
}

}  // namespace

RawStream::RawStream(UniqueFd fd) : fd_(std::move(fd)) {}

Status RawStream::wait(bool to_write, const Patience& patience) const {
  while (true) {
    if (patience.cancelled && patience.cancelled()) return fail(Errc::cancelled, "interrupted");
    const Instant now = system_now().steady;
    if (now >= patience.until) return fail(Errc::timeout, "no answer in time");
    const auto left = std::chrono::ceil<Milliseconds>(patience.until - now);
    pollfd wanted{fd_.get(), static_cast<short>(to_write ? POLLOUT : POLLIN), 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min(left, kLookAround).count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Errc::unreachable, system_words(errno));
  }
}

Result<RawStream> RawStream::connect(const std::string& address, uint16_t port, NamedBy named_by,
                                     const Patience& patience) {
  auto begun = begin_connect(address, port, named_by);
  if (!begun && begun.error().forbidden)
    return fail(Errc::refused, address + " is not a public address, and others named the host");
  if (!begun) return fail(Errc::unreachable, system_words(begun.error().error));
  RawStream stream(std::move(*begun));
  if (const Status ready = stream.wait(true, patience); !ready) return fail(ready.error());
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(stream.fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(Errc::unreachable, system_words(error));
  return stream;
}

Result<int> RawStream::through(const std::function<int()>& operation, const Patience& patience) {
  while (true) {
    ERR_clear_error();
    const int done = operation();
    if (done > 0) return done;
    const int error = SSL_get_error(ssl_.get(), done);
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return fail(Errc::unreachable, ssl_words());
    if (const Status ready = wait(error == SSL_ERROR_WANT_WRITE, patience); !ready)
      return fail(ready.error());
  }
}

Status RawStream::pass_proxy(const ProxyUrl& proxy, const std::string& host, uint16_t port,
                             const Patience& patience) {
  ProxyHandshake handshake(proxy, host, port);
  while (true) {
    std::string output = handshake.take_output();
    const Status written = write(output, patience);
    wipe({reinterpret_cast<uint8_t*>(output.data()), output.size()});
    if (!written) return written;
    if (handshake.state() == ProxyHandshake::State::open) return {};
    if (handshake.state() == ProxyHandshake::State::failed)
      return fail(Errc::refused, handshake.problem());
    if (const Status ready = wait(false, patience); !ready) return ready;
    // Looks before it takes: the bytes after the handshake are the relay's.
    std::array<char, 2048> buffer;
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return fail(Errc::unreachable, system_words(errno));
    if (got == 0) return fail(Errc::unreachable, "it hung up during the handshake");
    const size_t used = handshake.feed({buffer.data(), static_cast<size_t>(got)});
    (void)!::recv(fd_.get(), buffer.data(), used, 0);
  }
}

struct RawStream::TlsPeer final : TlsPeerCheck {
  TlsPeer(std::string name, std::vector<KeyPin> keys)
      : host(std::move(name)), pins(std::move(keys)) {}
  const std::string& tls_host() const override { return host; }
  const std::vector<KeyPin>& tls_pins() const override { return pins; }
  void tls_failed(std::string why) override {
    if (problem.empty()) problem = std::move(why);
  }
  void tls_done() override {}

  const std::string host;
  const std::vector<KeyPin> pins;
  std::string problem;
};

Status RawStream::start_tls(const RelayUrl& url, const Access& access, const Patience& patience) {
  peer_ = std::make_shared<TlsPeer>(url.host(), access.pins.of(url));
  const auto context = make_tls_context(
      access.ca_file,
      [](void* peer, ssl_st*) -> TlsPeerCheck* { return static_cast<TlsPeer*>(peer); },
      peer_.get());
  if (!context) return fail(context.error());
  ssl_.reset(SSL_new(context->get()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1)
    return fail(Errc::internal, "libssl has no memory");
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
  // Without this the verdict of the context's check would be ignored; lws sets it by itself.
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
  const auto shaken = through([this] { return SSL_connect(ssl_.get()); }, patience);
  if (!shaken && !peer_->problem.empty()) return fail(Errc::refused, peer_->problem);
  if (!shaken) return fail(shaken.error().within("TLS"));
  if (*shaken == 0) return fail(Errc::unreachable, "TLS: the connection was closed");
  return {};
}

Status RawStream::write(std::string_view bytes, const Patience& patience) {
  while (!bytes.empty()) {
    if (ssl_) {
      const auto written = through(
          [&] { return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())); },
          patience);
      if (!written) return fail(written.error());
      if (*written == 0) return fail(Errc::unreachable, "the connection was closed");
      bytes.remove_prefix(static_cast<size_t>(*written));
      continue;
    }
    const ssize_t written = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail(Errc::unreachable, system_words(errno));
    } else if (Status ready = wait(true, patience); !ready) {
      return ready;
    }
  }
  return {};
}

Result<std::string> RawStream::read(const Patience& patience) {
  std::string out(kPart, '\0');
  if (ssl_) {
    const auto got = through(
        [&] { return SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size())); }, patience);
    if (!got) return fail(got.error());
    out.resize(static_cast<size_t>(*got));
    return out;
  }
  while (true) {
    if (const Status ready = wait(false, patience); !ready) return fail(ready.error());
    const ssize_t got = ::recv(fd_.get(), out.data(), out.size(), 0);
    if (got >= 0) {
      out.resize(static_cast<size_t>(got));
      return out;
    }
    if (errno != EAGAIN && errno != EINTR) return fail(Errc::unreachable, system_words(errno));
  }
}

}  // namespace ipnscast::nostr::net
