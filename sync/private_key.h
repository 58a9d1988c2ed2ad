#pragma once

#include <memory>

#include "nostr/base/store/writer.h"
#include "nostr/signer.h"
#include "sync/private_hint.h"

namespace ipnscast::sync {

// The key that hides names (private_hint.h) for this signer: derived where the secret is at hand.
// Otherwise the one in the state's settings, encrypted to the signer's own key; `make` makes it at
// first. Nothing: there is none, and it was not to be made. Waits for the store and the signer,
// ten seconds for each of its answers. Errors of the signer, Errc::io, Errc::parse for a setting
// that does not hold a key.
Result<std::shared_ptr<const PrivateNames>> open_private_names(nostr::Signer& signer,
                                                               store::Writer& writer, bool make);

}  // namespace ipnscast::sync
