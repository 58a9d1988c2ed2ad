#pragma once

#include "ipnscast/nostr/event/event.h"

// NIP-70: an event that relays take from its author only, who has to prove the key (NIP-42). The
// pool does so when a relay asks (`auth-required`) and holds the author's signer.
namespace ipnscast::nostr {

// Has the tag ["-"]. Whoever is not its author does not pass such an event on.
bool is_protected(const Event& event);

// A repost (kind 6 or 16, NIP-18) whose content is a protected event: relays take it from nobody.
bool reposts_protected(const Event& event);

// Puts the tag there, once.
void protect(UnsignedEvent& event);

}  // namespace ipnscast::nostr
