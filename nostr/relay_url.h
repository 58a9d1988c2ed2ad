#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "nostr/base/result.h"

namespace ipnscast::nostr {

// A relay's address in normal form: scheme and host in lower case, no default port, no trailing
// slash on an empty path, no fragment. Two spellings of one relay compare equal and share one
// socket.
class RelayUrl {
 public:
  // ws:// or wss://; user names and fragments are refused. Errc::invalid.
  static Result<RelayUrl> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool tls() const { return tls_; }
  const std::string& host() const { return host_; }  // without brackets for IPv6
  uint16_t port() const { return port_; }
  const std::string& path() const { return path_; }  // with the query; starts with '/'
  auto operator<=>(const RelayUrl& other) const { return text_ <=> other.text_; }
  bool operator==(const RelayUrl& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string host_;
  std::string path_ = "/";
  uint16_t port_ = 0;
  bool tls_ = false;
};

}  // namespace ipnscast::nostr

template <>
struct std::hash<ipnscast::nostr::RelayUrl> {
  size_t operator()(const ipnscast::nostr::RelayUrl& url) const noexcept {
    return std::hash<std::string>{}(url.text());
  }
};
