#pragma once

#include <string>

#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/nostr/nip/nip49.h"

namespace ipnscast::sync {

// The line of a secret file in the clear: one that is encrypted (ncryptsec1..., NIP-49) is opened
// with the password that `password` gives and becomes 64 hex digits, any other comes back as it is.
// `what` names the key in questions and errors. Errc::refused when a password is needed and there
// is no source, the source's own error, else as nip49_decrypt(). The caller wipes the line.
Result<std::string> open_secret_line(std::string line, const PasswordSource& password,
                                     const std::string& what);

}  // namespace ipnscast::sync
