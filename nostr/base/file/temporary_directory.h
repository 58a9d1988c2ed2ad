#pragma once

#include <filesystem>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast {

// A fresh directory of ours (mode 0700) that goes away with the object, with all that is in it.
class TemporaryDirectory {
 public:
  // Below the system's directory for temporary files. Errc::io.
  static Result<TemporaryDirectory> make();

  TemporaryDirectory(TemporaryDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})), place_(std::move(other.place_)), id_(other.id_) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryDirectory(std::filesystem::path path, FilePlace place, FileId id)
      : path_(std::move(path)), place_(std::move(place)), id_(id) {}

  std::filesystem::path path_;  // empty: moved from
  FilePlace place_;
  FileId id_;
};

}  // namespace ipnscast
