#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::nostr::net {

enum class ProxyKind { socks5, http_connect };

// A proxy that connections to relays go through. It gets the relay's name and looks it up itself,
// so that no name but the proxy's own is ever looked up here (socks5 and socks5h mean the same).
struct ProxyUrl {
  ProxyKind kind = ProxyKind::socks5;
  std::string host;  // a name or an address, IPv6 without brackets
  uint16_t port = 0;
  std::string user;  // with `password`: RFC 1929 for SOCKS5, Basic for HTTP; empty: none
  std::string password;

  // [socks5|socks5h|http]://[USER:PASSWORD@]HOST:PORT, user and password percent-encoded.
  // Errc::invalid; the text of an error never holds the password.
  static Result<ProxyUrl> parse(std::string_view text);

  // The URL without user and password, for people and logs.
  std::string shown() const;
};

}  // namespace ipnscast::nostr::net
