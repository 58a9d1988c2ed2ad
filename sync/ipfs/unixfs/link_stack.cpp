#include "ipnscast/sync/ipfs/unixfs/link_stack.h"

#include <algorithm>
#include <utility>

namespace ipnscast::sync {

Status LinkStack::push(Visit parent, std::vector<Visit> links, uint32_t mark) {
  if (links.empty()) return {};
  drop_finished();
  if (frames_.size() >= kMostBlocks)
    return fail(Errc::too_large, "dag: too many blocks whose links are open");
  held_ += links.size();
  const size_t count = links.size();
  frames_.push_back({std::move(parent), std::move(links), 0, count, mark});
  give_up_oldest();
  return {};
}

size_t LinkStack::levels() {
  drop_finished();
  return frames_.size();
}

// A block is read again for each time that it is given up, which costs as much as it has links. So
// many links have to stand above it: a large block of small ones is held as it is.
void LinkStack::give_up_oldest() {
  while (held_ > most_links_ && given_up_ + 1 < frames_.size()) {
    Frame& frame = frames_[given_up_];
    if (held_ - frame.links.size() <= most_links_ / 2) return;
    ++given_up_;
    held_ -= frame.links.size();
    std::vector<Visit>().swap(frame.links);
  }
}

void LinkStack::drop_finished() {
  while (!frames_.empty() && frames_.back().next == frames_.back().count) {
    held_ -= frames_.back().links.size();
    frames_.pop_back();
  }
  given_up_ = std::min(given_up_, frames_.size());
}

Result<std::optional<LinkStack::Next>> LinkStack::pop() {
  drop_finished();
  if (frames_.empty()) return std::nullopt;
  Frame& frame = frames_.back();
  if (frame.links.empty()) {
    auto links = again_(frame.parent);
    if (!links) return fail(links.error());
    if (links->size() != frame.count)
      return fail(Errc::internal, "dag: a block has other links than before");
    frame.links = std::move(*links);
    held_ += frame.count;
    given_up_ = std::min(given_up_, frames_.size() - 1);
  }
  return Next{std::move(frame.links[frame.next++]), frame.mark, frames_.size() - 1};
}

}  // namespace ipnscast::sync
