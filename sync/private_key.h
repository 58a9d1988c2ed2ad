#pragma once

#include <memory>

#include "nostr/base/store/writer.h"
#include "nostr/signer.h"
#include "sync/private_hint.h"

namespace ipnscast::sync {

// The key that hides names (private_hint.h) for this signer: see own_secret(). Null: there is none,
// and it was not to be made.
Result<std::shared_ptr<const PrivateNames>> open_private_names(nostr::Signer& signer,
                                                               store::Writer& writer, bool make);

}  // namespace ipnscast::sync
