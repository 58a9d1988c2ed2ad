#include "ipnscast/sync/keys/secret_line.h"

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::sync {

Result<std::string> open_secret_line(std::string line, const PasswordSource& password,
                                     const std::string& what) {
  if (!nostr::is_ncryptsec(line)) return line;
  if (!password) return fail(Errc::refused, what + ": is encrypted, and there is no password");
  const auto given = password(what);
  if (!given) return fail(given.error());
  const auto key = nostr::nip49_decrypt(line, given->view());
  if (!key) return fail(key.error().within(what));
  return to_hex(key->secret.view());
}

}  // namespace ipnscast::sync
