#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::sync {

// The links that a depth-first walk has still to follow, in bounded memory: beyond a number of
// them, those of the blocks nearest to the root are given up and read again when the walk comes
// back to them. Those of the block that was pushed last are always held, and those of one block as
// long as fewer than half that number stand above it. One walk each.
class LinkStack {
 public:
  using Visit = ScopeGuide::Visit;
  // The links of a block once more, the same in the same order.
  using Again = std::function<Result<std::vector<Visit>>(const Visit& parent)>;
  static constexpr size_t kMostLinks = 1 << 16;
  static constexpr size_t kMostBlocks = 1 << 16;

  explicit LinkStack(Again again, size_t most_links = kMostLinks)
      : again_(std::move(again)), most_links_(most_links) {}

  // The links of `parent` come before all others. `mark` comes back with each. Errc::too_large when
  // too many blocks have links that were not followed.
  Status push(Visit parent, std::vector<Visit> links, uint32_t mark = 0);

  struct Next {
    Visit visit;
    uint32_t mark = 0;
    size_t level = 0;  // how many blocks were below its parent when that was pushed
  };
  // Nothing at the end. Again's errors.
  Result<std::optional<Next>> pop();

  // How many blocks have links that were not followed: the level of the next one that is pushed.
  size_t levels();

 private:
  struct Frame {
    Visit parent;
    std::vector<Visit> links;  // empty when given up
    size_t next = 0;
    size_t count = 0;
    uint32_t mark = 0;
  };
  void give_up_oldest();
  void drop_finished();

  // constant after construction
  const Again again_;
  const size_t most_links_;

  std::vector<Frame> frames_;
  size_t held_ = 0;      // links
  size_t given_up_ = 0;  // frames at the bottom that hold none
};

}  // namespace ipnscast::sync
