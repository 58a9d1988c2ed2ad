#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/net/stream/reach.h"

// Private to nostr.
namespace ipnscast::nostr::net {

// How long a blocking operation may take, and who else may end it.
struct Patience {
  Instant until;
  std::function<bool()> cancelled;  // asked every 50 ms
};

// One TCP connection, with TLS on top if wanted, for a thread that may block: to measure what an
// event loop would hide. All of it fails with Errc::timeout, Errc::cancelled or Errc::unreachable.
class RawStream {
 public:
  // `address` is numeric. Errc::refused when it is not public and others named the host (reach.h).
  static Result<RawStream> connect(const std::string& address, uint16_t port, NamedBy named_by,
                                   const Patience& patience);
  RawStream(RawStream&&) = default;
  RawStream& operator=(RawStream&&) = default;

  // Has the proxy at the other end connect us to the host; what follows is the host's.
  // Errc::refused in the proxy's words.
  Status pass_proxy(const ProxyUrl& proxy, const std::string& host, uint16_t port,
                    const Patience& patience);
  // TLS 1.2 or later with a relay, checked as that of every connection is (tls_client.h).
  // Errc::refused when its certificate or its key is not good, Errc::invalid for the CA file.
  Status start_tls(const RelayUrl& url, const Access& access, const Patience& patience);
  Status write(std::string_view bytes, const Patience& patience);
  // What there is, 16 KiB at most; empty at the end of the stream.
  Result<std::string> read(const Patience& patience);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  struct TlsPeer;

  explicit RawStream(UniqueFd fd);
  Status wait(bool to_write, const Patience& patience) const;
  // Repeats an SSL operation until it is through; its result, or 0 at the end of the stream.
  Result<int> through(const std::function<int()>& operation, const Patience& patience);

  UniqueFd fd_;
  std::shared_ptr<TlsPeer> peer_;  // outlives ssl_
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace ipnscast::nostr::net
