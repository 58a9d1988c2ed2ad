#include "ipnscast/nostr/base/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace ipnscast {
namespace {

struct Range4 {
  uint32_t first;
  int bits;
};
// IPv4 of RFC 6890 and multicast.
constexpr Range4 kSpecial4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
    {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4}};

struct Range6 {
  uint32_t first;  // of the address's first 32 bits
  int bits;
};
// Inside of global unicast: protocol assignments with Teredo and benchmarking (2001::/23),
// documentation (2001:db8::/32, 3fff::/20) and 6to4 (2002::/16).
constexpr Range6 kSpecial6[] = {
    {0x20010000, 23}, {0x20010db8, 32}, {0x20020000, 16}, {0x3fff0000, 20}};

// Last parts of names that no public name server knows, or that mean something else everywhere.
constexpr std::string_view kLocal[] = {"local", "localhost", "internal", "lan",
                                       "home",  "intranet",  "private",  "corp",
                                       "test",  "invalid",   "onion",    "arpa"};

template <typename Ranges>
bool in_any(uint32_t head, const Ranges& ranges) {
  return std::any_of(std::begin(ranges), std::end(ranges), [head](const auto& range) {
    return (head ^ range.first) >> (32 - range.bits) == 0;
  });
}

bool is_public(const in_addr& address) { return !in_any(ntohl(address.s_addr), kSpecial4); }

bool is_public(const in6_addr& address) {
  const uint8_t* const bytes = address.s6_addr;
  if ((bytes[0] & 0xe0) != 0x20) return false;  // 2000::/3
  const uint32_t head =
      uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
  return !in_any(head, kSpecial6);
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return is_public(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family == AF_INET6)
    return is_public(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return false;
}

bool is_public_address(const std::string& numeric) {
  in_addr v4{};
  if (inet_pton(AF_INET, numeric.c_str(), &v4) == 1) return is_public(v4);
  in6_addr v6{};
  return inet_pton(AF_INET6, numeric.c_str(), &v6) == 1 && is_public(v6);
}

bool is_public_host(const std::string& host) {
  if (host.find(':') != std::string::npos) return is_public_address(host);
  const std::string_view name =
      host.ends_with('.') ? std::string_view(host).substr(0, host.size() - 1) : host;
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view top = name.substr(dot + 1);
  // A number at the end that is no plain IPv4 address is one in a spelling that resolvers take
  // ("127.1", "0x7f.1").
  if (top.empty() || (top[0] >= '0' && top[0] <= '9')) return is_public_address(host);
  return std::none_of(std::begin(kLocal), std::end(kLocal), [top](std::string_view local) {
    return std::equal(top.begin(), top.end(), local.begin(), local.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

}  // namespace ipnscast
