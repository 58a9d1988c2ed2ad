#include "ipnscast/nostr/net/stream/address_order.h"

#include <algorithm>
#include <array>

namespace ipnscast::nostr::net {

std::vector<std::string> families_taking_turns(const std::vector<std::string>& addresses) {
  std::array<std::vector<std::string>, 2> families;
  for (const std::string& address : addresses) {
    const bool ipv6 = address.find(':') != std::string::npos;
    families[ipv6 ? 1 : 0].push_back(address);
  }
  const bool ipv6_first = !addresses.empty() && addresses[0].find(':') != std::string::npos;
  const auto& first = families[ipv6_first ? 1 : 0];
  const auto& second = families[ipv6_first ? 0 : 1];
  std::vector<std::string> out;
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  return out;
}

}  // namespace ipnscast::nostr::net
