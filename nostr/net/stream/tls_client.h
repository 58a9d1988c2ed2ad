#pragma once

// Private to nostr/net.
#include <memory>
#include <string>
#include <vector>

#include "ipnscast/nostr/net/stream/key_pins.h"

struct ssl_ctx_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace ipnscast::nostr::net {

struct TlsContextFree {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextFree>;

// What an SSL object of an outgoing connection asks its connection.
class TlsPeerCheck {
 public:
  virtual ~TlsPeerCheck() = default;
  virtual const std::string& tls_host() const = 0;
  virtual const std::vector<KeyPin>& tls_pins() const = 0;
  // Why the handshake fails, for the person who has to act.
  virtual void tls_failed(std::string problem) = 0;
  virtual void tls_done() = 0;
};

// Finds the connection of an SSL object; null when it was let go of.
using TlsPeerOf = TlsPeerCheck* (*)(void* finder, ssl_st* ssl);

// TLS 1.2 or later for outgoing connections, with the authorities of `ca_file` (PEM) or, when that
// is empty, the system's. It checks chain, dates and host name, or pins, by itself and not by lws:
// 4.1.6 takes an IPv6 address for the name "[", lets certificates pass that are not valid yet, and
// asks the first vhost of the context, whosever that is. Errc::invalid for an unusable file.
Result<TlsContext> make_tls_context(const std::string& ca_file, TlsPeerOf peer_of, void* finder);

}  // namespace ipnscast::nostr::net
