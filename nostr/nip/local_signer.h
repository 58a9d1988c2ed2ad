#pragma once

#include "ipnscast/nostr/event/signer.h"

namespace ipnscast::nostr {

// Signs with a key in memory, at once. Thread-safe.
std::shared_ptr<Signer> make_local_signer(SecretKey key);

}  // namespace ipnscast::nostr
