#pragma once

#include <filesystem>

namespace ipnscast::tools {

// When the time was over, pieces of a tree may be left under a hidden name beside the target
// (remove_abandoned()). Has a process of its own remove them, so that nobody waits for it; starts
// none when nothing is left.
void remove_left_behind(const std::filesystem::path& target);

}  // namespace ipnscast::tools
