#pragma once

#include "ipnscast/sync/hint/hint.h"

namespace ipnscast::sync {

// What publisher and bridge do when a relay prefers another event of our own key at the address of
// a hint of ours. Private to the project.

// `newer` tells less than `ours`, so that it hides our change from readers who ask this relay only:
// it has a lower sequence or none, or nobody can read it.
bool hides(const Result<Hint>& ours, const Result<Hint>& newer);
// Both tell of the same sequence, and of two values.
bool is_rival(const Hint& ours, const Hint& newer);

// Asks for the end of an event that lies too far ahead of the clock to be signed above. NIP-09, by
// id.
nostr::UnsignedEvent deletion_of(const nostr::Event& event, UnixSeconds now);
// The same for several events of one kind.
nostr::UnsignedEvent deletion_of(const std::vector<nostr::EventId>& ids, int kind, UnixSeconds now);

// Asks for the end of all that stands at these addresses and is not newer than `until`. NIP-09.
nostr::UnsignedEvent retraction_of(const std::vector<nostr::Address>& addresses, UnixSeconds until);

}  // namespace ipnscast::sync
