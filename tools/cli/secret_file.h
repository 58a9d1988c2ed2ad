#pragma once

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// One line of a secret file (0600, or Errc::refused when group or others can read it). An encrypted
// key (ncryptsec1...) is opened with the password of password_source(). The caller wipes the line.
Result<std::string> read_secret_line(const Context& context, const std::string& path);

// The Nostr key in a secret file: one line, 64 hex digits, nsec1... or ncryptsec1.... Reports what
// is wrong with the file as a usage error (exit code 2) and gives nothing.
std::optional<nostr::SecretKey> load_secret_key(Context& context, const std::string& path);

}  // namespace ipnscast::tools
