#pragma once

#include <filesystem>

#include "nostr/base/result.h"

namespace ipnscast::sync {

// A hidden directory beside a target, for what grows there and is then renamed onto it. Locked
// (flock) as long as it lives and removed with all it holds by the destructor; what a process that
// was killed left there, the next one removes.
class Workspace {
 public:
  // Errc::io.
  static Result<Workspace> make_beside(const std::filesystem::path& target);
  Workspace(Workspace&& other) noexcept;
  Workspace& operator=(Workspace&&) = delete;
  ~Workspace();

  // Where to build: inside, absent at first.
  std::filesystem::path content() const { return directory_ / "content"; }

 private:
  Workspace(std::filesystem::path directory, int lock)
      : directory_(std::move(directory)), lock_(lock) {}

  std::filesystem::path directory_;
  int lock_;  // -1: moved from
};

}  // namespace ipnscast::sync
