#pragma once

#include <filesystem>

namespace ipnscast::sync {

// A hidden name beside `path` that nobody else uses: for what is built there and then renamed onto
// `path`.
std::filesystem::path temporary_beside(const std::filesystem::path& path);
// Whether the name is one of these.
bool is_temporary(const std::filesystem::path& path);

}  // namespace ipnscast::sync
