#pragma once

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// Whether the event is found by {"#d": [""]} although no tag of it says so: an addressable event
// without a d tag has the address "". NIP-01; strfry does so too, khatru does not.
inline bool implies_empty_d(const Event& event) {
  return kind_class(event.kind) == KindClass::addressable && !event.tag("d");
}

}  // namespace ipnscast::nostr
