#pragma once

// Private to nostr/net.
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/fd_watch.h"
#include "ipnscast/nostr/net/stream/tls_client.h"

namespace ipnscast::nostr::net {

class TlsLeg;

// Takes TLS off accepted connections: who stands behind it reads and writes a plain socket, the
// other end of a pair, and need not know. TLS 1.2 or later. Net thread only.
class TlsDoor {
 public:
  TlsDoor();
  ~TlsDoor();
  // The certificate with its chain, and the key; PEM. Errc::invalid.
  Status open(const std::string& certificate_file, const std::string& key_file);
  // The plain socket of this connection. It ends when either side does. Empty when the system
  // refuses.
  UniqueFd pass(FdWatch& watch, UniqueFd client);
  // Ends the connection behind this plain socket at once and with a reset, so that the client does
  // not take what it got for all there is.
  void cut(int plain);
  // Ends those whose client takes too long to read what is left for it.
  void check(Instant now);
  bool is_empty() const { return legs_.empty(); }
  // Ends all connections.
  void close();

 private:
  void bound_farewells();

  TlsContext context_;
  uint64_t next_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<TlsLeg>> legs_;
};

}  // namespace ipnscast::nostr::net
