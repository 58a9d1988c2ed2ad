#pragma once

#include <filesystem>

#include "nostr/base/result.h"

namespace ipnscast::tools {

// A fresh directory of ours (mode 0700) that goes away with the object, with all that is in it.
class TemporaryDirectory {
 public:
  // Below the system's directory for temporary files. Errc::io.
  static Result<TemporaryDirectory> make();

  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;  // empty: moved from
};

}  // namespace ipnscast::tools
