#include "ipnscast/bridge/node/store/whole_dags.h"

#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::bridge {

using sync::Cid;

// A block whose links are being followed.
struct WholeDags::Frame {
  Bytes key;
  std::vector<Cid> links;
  size_t next = 0;
};

Result<std::vector<Cid>> WholeDags::links_of(const Cid& cid) {
  if (stopping_) return fail(Errc::closed, "the node is being stopped");
  const auto block = sync::read_block(source_, cid);
  if (!block && block.error().code == Errc::not_found) return fail(block_missing(cid));
  if (!block) return fail(block.error());
  auto links = sync::block_links(cid, *block);
  // A block that we cannot look into is a leaf to us.
  if (!links && links.error().code == Errc::unsupported) return std::vector<Cid>();
  if (!links) return fail(links.error().within(cid.to_string()));
  return links;
}

Status WholeDags::check(const Cid& root) {
  std::vector<Frame> path;
  // Follows the block unless it is known. What is wrong below it is wrong below all that leads
  // here.
  const auto enter = [&](const Cid& cid) -> Status {
    Bytes key = cid.as_v1().encode();
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    auto links = links_of(cid);
    if (!links && links.error().code == Errc::closed) return fail(links.error());
    known_[key] = links ? Status{} : Status(fail(links.error()));
    if (!links) return fail(links.error());
    path.push_back({std::move(key), std::move(*links), 0});
    return {};
  };
  Status status = enter(root);
  while (status && !path.empty()) {
    Frame& top = path.back();
    if (top.next == top.links.size()) {
      path.pop_back();
    } else {
      const Cid link = top.links[top.next++];
      status = enter(link);
    }
  }
  if (!status) {
    for (const Frame& frame : path) known_[frame.key] = status;
  }
  return status;
}

}  // namespace ipnscast::bridge
