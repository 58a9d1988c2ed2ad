#pragma once

#include "nostr/keys.h"
#include "tools/command.h"

namespace ipnscast::tools {

// The Nostr key in a secret file: one line, 64 hex digits or nsec1.... Reports what is wrong with
// the file as a usage error (exit code 2) and gives nothing.
std::optional<nostr::SecretKey> load_secret_key(Context& context, const std::string& path);

}  // namespace ipnscast::tools
