#pragma once

#include <optional>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// From when on the event is to be ignored. Nothing when it has no expiration tag, or one that is no
// number of seconds. NIP-40.
std::optional<UnixSeconds> expiration(const Event& event);

}  // namespace ipnscast::nostr
