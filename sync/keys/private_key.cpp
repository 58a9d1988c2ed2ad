#include "ipnscast/sync/keys/private_key.h"

#include "ipnscast/sync/keys/own_secret.h"

namespace ipnscast::sync {

Result<std::shared_ptr<const PrivateNames>> open_private_names(nostr::Signer& signer,
                                                               store::Writer& writer, bool make) {
  auto key = own_secret(signer, writer, kPrivateKeyInfo, "private_names_key", make);
  if (!key) return fail(key.error().within("the key of private hints"));
  if (!*key) return nullptr;
  return std::make_shared<const PrivateNames>(std::move(**key));
}

}  // namespace ipnscast::sync
