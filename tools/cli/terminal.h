#pragma once

#include <string>

#include "ipnscast/nostr/base/secret/secret_text.h"

namespace ipnscast::tools {

// One line typed at the controlling terminal, whatever the standard streams are, without echo. The
// terminal is left as it was, also after Ctrl-C (Errc::cancelled). Errc::not_found when there is no
// terminal, Errc::too_large beyond 1024 bytes.
Result<SecretText> ask_secret(const std::string& question);

}  // namespace ipnscast::tools
