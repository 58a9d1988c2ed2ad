#pragma once

#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Where the password of an encrypted key comes from, in this order: the file of --password-file
// (0600, one line; /dev/fd/N is a file too), the variable IPNSCAST_PASSWORD, the terminal, without
// echo. Never an argument, which every user of the machine can read. Errc::refused when none of
// them is there, as under a service manager; Errc::cancelled for Ctrl-C.
PasswordSource password_source(const Context& context);

// The password of a key that is being encrypted: from the same places, asked twice at the terminal.
// Errc::mismatch when the two differ, Errc::invalid for an empty one.
Result<SecretText> new_password(const Context& context, const std::string& what);

}  // namespace ipnscast::tools
