#pragma once

#include <filesystem>
#include <string>

namespace ipnscast::tools {

// The key of what opens something, in a file that others can read. Empty when there is no such
// file, or nothing to hide in it.
std::string secret_others_can_read(const std::filesystem::path& file);

// Warns when this file holds what opens something (a remote signer, a proxy or a gateway that wants
// a password) and others can read it.
void warn_of_open_config(const std::filesystem::path& file);

}  // namespace ipnscast::tools
