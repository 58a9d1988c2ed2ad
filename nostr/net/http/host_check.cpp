#include "ipnscast/nostr/net/http/host_check.h"

#include <arpa/inet.h>

#include <algorithm>

namespace ipnscast::nostr::net {
namespace {

// Without the port, the brackets of IPv6 and the dot at the end, in lower case.
std::string bare_host(std::string_view host) {
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  while (host.ends_with('.')) host.remove_suffix(1);
  std::string out(host);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return out;
}

bool names_an_address(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

bool is_our_host(std::string_view text, const std::vector<std::string>& names) {
  const std::string host = bare_host(text);
  if (host.find('.') == std::string::npos || names_an_address(host)) return true;
  for (const std::string_view end : {".localhost", ".local", ".internal", ".onion"}) {
    if (host.ends_with(end)) return true;
  }
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return bare_host(name) == host; });
}

}  // namespace ipnscast::nostr::net
