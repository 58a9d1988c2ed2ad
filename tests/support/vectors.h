#pragma once

#include <filesystem>
#include <optional>

namespace ipnscast::test {

// The folder of official inputs: IPNSCAST_VECTORS, by default ../shared/vectors from the project's
// root. Nothing when it is not there: the test then skips (and .ci/run fails beforehand).
std::optional<std::filesystem::path> official_vectors();

// Our own vectors, which are part of the tree.
std::filesystem::path own_vectors();

// A whole file. Fails the test when it cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace ipnscast::test
