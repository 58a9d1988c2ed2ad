#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// Where a server listens: "127.0.0.1:7777", "[::1]:7777", or port 0 for a free one.
struct ListenAddress {
  std::string address;  // without brackets
  uint16_t port = 0;
  std::string text() const;  // as it was written
};

// Errc::invalid.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace ipnscast::bridge
