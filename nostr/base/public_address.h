#pragma once

#include <string>

struct sockaddr;

namespace ipnscast {

// Who named a host that we are about to connect to. What others name (a pointer such as an naddr or
// nprofile, a relay list, a record, a remote signer, a router, a redirect) is reached at public
// addresses only, so that a stranger cannot make us open a connection inside the own network (R39).
// The mark travels with nostr::RelayUrl and with sync::gateway::HttpCall to the place where the
// socket is made, because only there the address is known: a public name may lead anywhere.
enum class NamedBy { configuration, others };

// True for addresses that mean the same host everywhere: neither loopback, private, shared
// (100.64.0.0/10), link-local, multicast, documentation nor otherwise special ones (RFC 6890). Of
// IPv6 only global unicast is public. Addresses that carry an IPv4 address inside (mapped, NAT64,
// 6to4, Teredo) are not, since the inner one decides where they lead.
bool is_public_address(const sockaddr& address);
// The same for an address as text, IPv6 without brackets. False for what is no address.
bool is_public_address(const std::string& numeric);

// True for a public address, and for a name that may lead to one: it has a dot, does not end in a
// number, and not in .local, .internal, .onion and the like. What the name resolves to is not
// looked at: this spares a connection that would be refused, and is no substitute for the check of
// its address.
bool is_public_host(const std::string& host);

}  // namespace ipnscast
