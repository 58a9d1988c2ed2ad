#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sync/ipfs/dag_budget.h"
#include "sync/ipfs/ipns_name.h"
#include "tools/tree_changes.h"

namespace ipnscast::tools {

// A directory that shows the current content of one name. A hidden file beside it,
// ".<dir>.ipnscast", says that it is ours, of which name, and what it shows:
//
//   <name in base36> LF [ <value, as "/ipfs/<cid>[/path]"> LF ]
//
// New content is written beside the directory and exchanged with it in one step.
class Mirror {
 public:
  // Errc::conflict for a directory with content that no mirror of this name made, or that is no
  // directory; Errc::io. An absent one is made with the first content.
  static Result<Mirror> open(const std::filesystem::path& directory, const sync::IpnsName& name);

  const std::filesystem::path& directory() const { return directory_; }
  // The value whose content it shows; nothing before the first.
  const std::optional<std::string>& shown() const { return shown_; }

  // Shows the value, whose path leads to `end`; every block is verified. A file is shown as
  // <directory>/<its name in the path, or its CID>. Whatever fails, the directory is as it was.
  // The errors of sync::unpack().
  Result<TreeChanges> show(sync::BlockSource& blocks, const std::string& value,
                           const sync::Cid& end, const sync::DagLimits& limits = {});

 private:
  Mirror(std::filesystem::path directory, std::string name, std::optional<std::string> shown)
      : directory_(std::move(directory)), name_(std::move(name)), shown_(std::move(shown)) {}
  Status write_marker() const;

  std::filesystem::path directory_;
  std::string name_;
  std::optional<std::string> shown_;
};

}  // namespace ipnscast::tools
