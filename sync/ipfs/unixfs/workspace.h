#pragma once

#include <filesystem>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::sync {

// A hidden directory beside a target, for what grows there and is then renamed onto it. Its name is
// random, and it is reached through its descriptor. Locked (flock) as long as it lives and removed
// with all it holds by the destructor; what a process that was killed left there, or one whose time
// was over, the next one removes.
class Workspace {
 public:
  // Errc::io.
  static Result<Workspace> make_beside(const std::filesystem::path& target);
  static Result<Workspace> make_in(Folder parent);
  Workspace(Workspace&&) noexcept = default;
  Workspace& operator=(Workspace&&) = delete;
  ~Workspace();

  // The directory around it and the target.
  const Folder& parent() const { return parent_; }
  const Folder& folder() const { return folder_; }
  // Where to build: in folder(), absent at first.
  static constexpr char kContent[] = "content";
  std::filesystem::path content() const { return folder_.path() / kContent; }
  // What it holds is needed no longer than that: a moment later the destructor leaves what it has
  // not removed yet. Without a call it takes its time.
  void remove_by(Instant deadline);
  // Gives the content the mode of what it is going to replace in parent(), where both are files or
  // both are directories: what somebody closed stays closed.
  void keep_mode_of(const std::string& name) const;

 private:
  Workspace(Folder parent, std::string name, Folder folder, Descriptor lock)
      : parent_(std::move(parent)),
        name_(std::move(name)),
        folder_(std::move(folder)),
        lock_(std::move(lock)) {}

  Folder parent_;
  std::string name_;
  Folder folder_;
  Descriptor lock_;  // none: moved from
  std::optional<Instant> end_;
};

}  // namespace ipnscast::sync
