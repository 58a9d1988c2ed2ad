#include "ipnscast/nostr/net/stream/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kGroupBytes = 8;  // of an IPv6 address
constexpr size_t kMappedAt = 12;   // where one of IPv6 holds one of IPv4

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), text.size()) == nullptr ? "" : text.data();
}

PeerAddress of_ipv4(const void* address) {
  std::string text = text_of(AF_INET, address);
  return {text, text};
}

}  // namespace

PeerAddress peer_address(const sockaddr& name) {
  if (name.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &name, sizeof(four));
    return of_ipv4(&four.sin_addr);
  }
  if (name.sa_family != AF_INET6) return {};
  sockaddr_in6 six{};
  std::memcpy(&six, &name, sizeof(six));
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) return of_ipv4(six.sin6_addr.s6_addr + kMappedAt);
  PeerAddress out;
  out.text = text_of(AF_INET6, &six.sin6_addr);
  std::fill(six.sin6_addr.s6_addr + kGroupBytes, std::end(six.sin6_addr.s6_addr), 0);
  out.group = text_of(AF_INET6, &six.sin6_addr) + "/64";
  return out;
}

}  // namespace ipnscast::nostr::net
