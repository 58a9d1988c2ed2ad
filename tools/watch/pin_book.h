#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::tools {

// Which versions of followed names own nodes are to keep, and what is pinned there because of us.
// In a file of the state directory, written whole before anything is done at a node, so that
// nothing stays there unknown to us. Of the process that holds the directory. One thread at a time.
class PinBook {
 public:
  // Nothing is read yet from an absent file. Errc::parse for a damaged one, Errc::io.
  static Result<PinBook> open(const std::filesystem::path& state_dir);

  // `root` becomes the newest version of the name; of those before it the last `most` - 1 stay.
  void add_version(const sync::IpnsName& name, const sync::Cid& root, size_t most);
  // Newest first.
  std::vector<sync::Cid> versions(const sync::IpnsName& name) const;
  std::vector<sync::IpnsName> names() const;

  // The node may have it pinned from now on, because of us.
  void note(const std::string& node, const sync::Cid& root);
  // The node has it pinned, checked. `foreign`: somebody else had pinned it before us, whose pin
  // stays when we need it no more.
  void finish(const std::string& node, const sync::Cid& root, bool foreign);
  void drop(const std::string& node, const sync::Cid& root);
  bool is_finished(const std::string& node, const sync::Cid& root) const;

  struct Pin {
    std::string node;
    sync::Cid root;
    bool foreign = false;
  };
  // Those that no version wants.
  std::vector<Pin> unwanted() const;

  // Errc::io.
  Status save() const;

 private:
  struct State {
    bool done = false;
    bool foreign = false;
  };
  using Place = std::pair<std::string, std::string>;  // node, root as text

  explicit PinBook(std::filesystem::path file) : file_(std::move(file)) {}
  Status read(const std::string& text);

  std::filesystem::path file_;
  std::map<sync::IpnsName, std::vector<sync::Cid>> versions_;
  std::map<Place, State> pins_;
};

}  // namespace ipnscast::tools
