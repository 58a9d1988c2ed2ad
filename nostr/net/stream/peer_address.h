#pragma once

// Private to nostr/net.
#include <sys/socket.h>

#include <string>

namespace ipnscast::nostr::net {

// Where an accepted connection comes from.
struct PeerAddress {
  std::string text;  // the IP address, empty for what has none; one of IPv4 reads as such
  // What limits count as one client: the address, and of IPv6 its first 64 bits, because whoever
  // has one address of a /64 usually has all of them. As text, "2001:db8:0:1::/64".
  std::string group;
};

// Pure.
PeerAddress peer_address(const sockaddr& name);

}  // namespace ipnscast::nostr::net
