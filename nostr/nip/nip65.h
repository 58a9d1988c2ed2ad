#pragma once

#include <span>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/relay_url.h"

// NIP-65: where a key publishes and where it reads, in its own words.
namespace ipnscast::nostr {

constexpr int kRelayListKind = 10002;
constexpr size_t kMaxListedRelays = 100;  // looked at; further ones are left out
constexpr size_t kMaxAuthorRelays = 4;    // used of somebody else's list

struct RelayList {
  std::vector<RelayUrl> write;  // where the author's events are
  std::vector<RelayUrl> read;   // where the author looks for events of others
};

// The "r" tags of a kind 10002, in their order, each relay once. What does not parse is left out;
// an unknown marker too. The caller has verified the event. Errc::mismatch for another kind.
Result<RelayList> parse_relay_list(const Event& event);

// The list of our own.
UnsignedEvent make_relay_list(const RelayList& list, UnixSeconds now);

// The newest list of this author among verified events. Nothing when there is none, or when the
// newest says nothing usable.
std::optional<RelayList> newest_relay_list(std::span<const Event> events, const PublicKey& author);

// The same relays; those at the scheme, host and port of one that our configuration names are ours
// too (RelayUrl::named_by()). Another port of the same host is not: on loopback and in the own
// network it is another service.
std::vector<RelayUrl> marked_by(std::vector<RelayUrl> named, const std::vector<RelayUrl>& own);

// What of a stranger's list we connect to, `kMaxAuthorRelays` at most, marked by `own`: wss at
// hosts that may be public, and what is ours.
std::vector<RelayUrl> usable_relays(const std::vector<RelayUrl>& listed,
                                    const std::vector<RelayUrl>& own);

}  // namespace ipnscast::nostr
