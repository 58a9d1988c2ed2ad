#include "sync/ipfs/path_resolver.h"

#include "sync/ipfs/dag_scope.h"

namespace ipnscast::sync {

Result<Cid> resolve_path(BlockSource& source, const Cid& root, std::string_view path) {
  DagBudget budget{DagLimits{}};
  return resolve_path(budget, source, root, path);
}

Result<Cid> resolve_path(DagBudget& budget, BlockSource& source, const Cid& root,
                         std::string_view path) {
  ScopeGuide guide({std::string(path), DagPart::block, {}});
  auto at = guide.begin(root);
  if (!at) return fail(at.error());
  while (!guide.target()) {
    const auto block = budget.read(source, at->cid);
    if (!block) return fail(block.error());
    auto next = guide.links(*at, *block);
    if (!next) return fail(next.error());
    *at = std::move(next->front());  // one while the path goes on
  }
  return *guide.target();
}

}  // namespace ipnscast::sync
