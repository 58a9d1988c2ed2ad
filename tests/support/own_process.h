#pragma once

#include <filesystem>
#include <iterator>

namespace ipnscast::test {

// What a folder of /proc/self has: "fd" is this process's descriptors, with one for the look
// itself; "task" its threads.
inline size_t count_of_own(const char* folder) {
  const auto path = std::filesystem::path("/proc/self") / folder;
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
}

}  // namespace ipnscast::test
