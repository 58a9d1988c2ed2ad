#pragma once

#include <filesystem>

#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tools/look/finding.h"
#include "ipnscast/tools/session/session.h"

// What `doctor` looks at on this machine. Nothing is made, written or locked.
namespace ipnscast::tools {

// Whether the keys can be read, by their owner alone. No password is asked for.
Findings check_keys(const sync::KeyStore& keys, const std::filesystem::path& folder);

// Whether what the file holds is for others to read, and whether there is somebody to ask.
Findings check_config(const Session& session, const std::filesystem::path& file);

// Whether the directory is ours alone and its state file sound. Takes a while where that is large.
Findings check_state(const std::filesystem::path& state_dir);

// Whether there is room for what is to be written in these directories, there or not.
Findings check_disk(const std::vector<std::filesystem::path>& directories);

}  // namespace ipnscast::tools
