#pragma once

#include <optional>

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/event/signer.h"

namespace ipnscast::sync {

// 32 secret bytes of this signer's, for one use: derived (HKDF, `info`) where the secret is at
// hand. Otherwise those in the state's setting `name`, one for each identity, encrypted to the
// signer's own key (NIP-44); `make` makes them at first. Nothing: there are none, and they were not
// to be made. Waits for the store and the signer, ten seconds for each of its answers. Errors of
// the signer, Errc::io, Errc::parse for a setting that does not hold a key.
Result<std::optional<SecretBytes<32>>> own_secret(nostr::Signer& signer, store::Writer& writer,
                                                  std::string_view info, std::string_view name,
                                                  bool make);

}  // namespace ipnscast::sync
