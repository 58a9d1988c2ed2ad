#pragma once

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// True when the event's id is the hash of its canonical text written with other escapes than
// NIP-01's: control characters raw, `/` as `\/`, U+2028 and U+2029 or everything outside ASCII as
// \uXXXX, with digits of either case. Tells an author whose JSON writer is at fault from one who
// lies. Only for events whose id did not match. Private to this layer.
bool id_of_foreign_escapes(const Event& event);

}  // namespace ipnscast::nostr
