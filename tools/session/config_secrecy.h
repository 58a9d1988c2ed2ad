#pragma once

#include <filesystem>

namespace ipnscast::tools {

// Warns when this file holds what opens something (a remote signer, a proxy or a gateway that wants
// a password) and others can read it.
void warn_of_open_config(const std::filesystem::path& file);

}  // namespace ipnscast::tools
