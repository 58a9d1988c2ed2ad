#include "ipnscast/nostr/server/own_address.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>

#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::nostr::server {
namespace {

bool is_wildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

std::string without_slash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

bool same_place(const RelayUrl& a, const RelayUrl& b) {
  return a.host() == b.host() && a.port() == b.port() &&
         without_slash(a.path()) == without_slash(b.path());
}

bool is_host_name(const std::string& host) {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return false;
  std::string own = name.data();
  std::transform(own.begin(), own.end(), own.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !own.empty() && (host == own || host == own.substr(0, own.find('.')) ||
                          host == own.substr(0, own.find('.')) + ".local");
}

// Of any network interface.
bool is_own_ip(const std::string& host) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::array<char, NI_MAXHOST> text{};
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (getnameinfo(at->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    const std::string address = text.data();
    if (host == address.substr(0, address.find('%'))) return true;
  }
  return false;
}

}  // namespace

bool OwnAddress::operator()(const RelayUrl& url) const {
  if (std::any_of(urls.begin(), urls.end(),
                  [&](const RelayUrl& own) { return same_place(own, url); }))
    return true;
  if (url.port() != port) return false;
  const std::string& host = url.host();
  if (host == listen) return true;
  const bool everywhere = is_wildcard(listen);
  const bool here_only = net::NameLookup::is_loopback(listen);
  if ((here_only || everywhere) && net::NameLookup::is_loopback(host)) return true;
  if (here_only) return false;
  return is_host_name(host) || (everywhere && is_own_ip(host));
}

}  // namespace ipnscast::nostr::server
