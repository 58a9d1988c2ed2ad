#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// The one line of a secret file. Refused when group or others can read it, when it belongs to
// another user than us and the administrator (Errc::refused), when it is no file, or holds more
// than one line (Errc::parse). Errc::not_found, Errc::io. The caller wipes the line after use.
Result<std::string> read_secret_file(const std::filesystem::path& path);

// Writes a new file of mode 0600 with this line, whole or not at all, also when the power fails.
// Directories that are missing are made with mode 0700. Errc::conflict when the file exists,
// Errc::refused as Folder::open_own(), Errc::io.
Status write_secret_file(const std::filesystem::path& path, std::string_view line);

// The same in the place of what is there.
Status replace_secret_file(const std::filesystem::path& path, std::string_view line);

// Overwrites a text that held a secret, and empties it.
void wipe_text(std::string& text);

}  // namespace ipnscast
