#pragma once

#include <memory>

#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/sync/hint/private_hint.h"

namespace ipnscast::sync {

// The key that hides names (private_hint.h) for this signer: see own_secret(). Null: there is none,
// and it was not to be made.
Result<std::shared_ptr<const PrivateNames>> open_private_names(nostr::Signer& signer,
                                                               store::Writer& writer, bool make);

}  // namespace ipnscast::sync
