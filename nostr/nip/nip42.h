#pragma once

#include <span>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/relay_url.h"

// NIP-42: a client proves to a relay that it holds a key.
namespace ipnscast::nostr {

constexpr int kAuthKind = 22242;
constexpr Seconds kAuthWindow{600};

// What to sign in answer to a relay's challenge.
UnsignedEvent auth_event(const RelayUrl& relay, std::string_view challenge, UnixSeconds now);

// A relay's side: kind, challenge, one of the relay's own addresses, and created_at within ten
// minutes. The caller has verified id and signature. Errc::mismatch, Errc::expired.
Status check_auth_event(const Event& event, std::span<const RelayUrl> own,
                        std::string_view challenge, UnixSeconds now);

// A challenge that nobody can guess, for one connection.
std::string make_auth_challenge();

}  // namespace ipnscast::nostr
