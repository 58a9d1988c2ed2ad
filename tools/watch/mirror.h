#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"
#include "ipnscast/tools/watch/mirror_mark.h"
#include "ipnscast/tools/watch/tree_changes.h"

namespace ipnscast::sync {
class Workspace;
}

namespace ipnscast::tools {

// A directory that shows the current content of one name. That we made it, and what it shows, is
// kept in the state directory; nothing that stands beside the directory is believed. New content is
// written beside it, under a random name, and exchanged with it in one step. A process may be
// killed at any instant: the next one knows the directory again, and removes what was left.
class Mirror {
 public:
  // Errc::conflict for a directory with content that no mirror of this name made, for what is no
  // directory (a link to one included), and when another process mirrors there; Errc::refused for
  // a directory of another user; Errc::io. An absent one is made with the first content.
  static Result<Mirror> open(const std::filesystem::path& directory, const sync::IpnsName& name,
                             const std::filesystem::path& state_dir);

  const std::filesystem::path& directory() const { return directory_; }
  // The value whose content it shows; nothing before the first.
  const std::optional<std::string>& shown() const { return shown_; }

  // Shows the value, whose path leads to `end`; every block is verified. A file is shown as
  // <directory>/<its name in the path, or its CID>. Whatever fails, the directory is as it was.
  // The errors of sync::unpack().
  Result<TreeChanges> show(sync::BlockSource& blocks, const std::string& value,
                           const sync::Cid& end, const sync::DagLimits& limits = {});

 private:
  // What stands at the place, when it is something that may be replaced.
  struct Found {
    FileId id;
    std::optional<MadeDirectory> made;  // none: an empty directory
  };
  Mirror(std::filesystem::path directory, std::string name, FilePlace place, MirrorMarkFile marks)
      : directory_(std::move(directory)),
        name_(std::move(name)),
        place_(std::move(place)),
        marks_(std::move(marks)) {}
  Result<std::optional<Found>> find() const;
  Error foreign() const;
  Status exchange(const sync::Workspace& workspace, const std::optional<Found>& found) const;

  std::filesystem::path directory_;
  std::string name_;
  FilePlace place_;
  MirrorMarkFile marks_;
  std::optional<std::string> shown_;
};

}  // namespace ipnscast::tools
