#include "ipnscast/bridge/node/store/dag_scope.h"

#include "ipnscast/bridge/node/store/scope_walk.h"

namespace ipnscast::bridge {

using sync::Cid;

Status visit_scope(sync::BlockSource& source, const Cid& root, const sync::DagScope& scope,
                   const OnBlock& visit, Repeats repeats) {
  ScopeWalk walk(source, root, scope, repeats);
  for (;;) {
    const auto step = walk.next();
    if (!step) return fail(step.error());
    if (!*step) return {};
    if (Status taken = visit((*step)->cid, (*step)->block); !taken) return taken;
  }
}

Error block_missing(const Cid& cid) {
  return {Errc::not_found,
          "block was not found locally (offline): ipld: could not find " + cid.to_string()};
}

}  // namespace ipnscast::bridge
