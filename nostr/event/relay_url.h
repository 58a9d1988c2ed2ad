#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/public_address.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::nostr {

// A relay's address in normal form: scheme and host in lower case, no default port, no trailing
// slash on an empty path, no fragment. Two spellings of one relay compare equal and share one
// socket.
class RelayUrl {
 public:
  // ws:// or wss://; user names and fragments are refused. Errc::invalid. For what the user or the
  // configuration names.
  static Result<RelayUrl> parse(std::string_view text);
  // The same for a URL in anything that others wrote. Connections to it are made to public
  // addresses only.
  static Result<RelayUrl> parse_foreign(std::string_view text);

  const std::string& text() const { return text_; }
  bool tls() const { return tls_; }
  const std::string& host() const { return host_; }  // without brackets for IPv6
  uint16_t port() const { return port_; }
  const std::string& path() const { return path_; }  // with the query; starts with '/'
  // A mark beside the address: two marks of one relay compare equal.
  NamedBy named_by() const { return named_by_; }
  // Scheme, host and port are the same: a connection to one is a connection to the other.
  bool same_origin(const RelayUrl& other) const {
    return tls_ == other.tls_ && port_ == other.port_ && host_ == other.host_;
  }
  // The same relay, named by the configuration.
  RelayUrl as_ours() const;
  auto operator<=>(const RelayUrl& other) const { return text_ <=> other.text_; }
  bool operator==(const RelayUrl& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string host_;
  std::string path_ = "/";
  uint16_t port_ = 0;
  bool tls_ = false;
  NamedBy named_by_ = NamedBy::configuration;
};

}  // namespace ipnscast::nostr

template <>
struct std::hash<ipnscast::nostr::RelayUrl> {
  size_t operator()(const ipnscast::nostr::RelayUrl& url) const noexcept {
    return std::hash<std::string>{}(url.text());
  }
};
