#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"

#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::sync {

Result<Cid> resolve_path(BlockSource& source, const Cid& root, std::string_view path) {
  DagBudget budget{DagLimits{}};
  return resolve_path(budget, source, root, path);
}

Result<Cid> resolve_path(DagBudget& budget, BlockSource& source, const Cid& root,
                         std::string_view path) {
  std::vector<Cid> reached;
  if (Status resolved = resolve_path(budget, source, root, path, reached); !resolved)
    return fail(resolved.error());
  return std::move(reached.back());
}

Status resolve_path(DagBudget& budget, BlockSource& source, const Cid& root, std::string_view path,
                    std::vector<Cid>& reached) {
  ScopeGuide guide({std::string(path), DagPart::block, {}});
  auto at = guide.begin(root);
  if (!at) return fail(at.error());
  reached.assign(1, root);
  while (!guide.target()) {
    const auto block = budget.read(source, at->cid);
    if (!block) return fail(block.error());
    auto next = guide.links(*at, *block);
    if (!next) return fail(next.error());
    const bool stepped = next->front().place.step != at->place.step;  // else a shard further down
    *at = std::move(next->front());                                   // one while the path goes on
    if (stepped) reached.push_back(at->cid);
  }
  return {};
}

}  // namespace ipnscast::sync
