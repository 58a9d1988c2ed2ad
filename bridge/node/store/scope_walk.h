#pragma once

#include <optional>

#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"
#include "ipnscast/sync/ipfs/unixfs/link_stack.h"

namespace ipnscast::bridge {

// visit_scope() as something that can be stopped after any block and taken up again later, by
// whichever thread: a client that does not read must not hold one. One thread at a time.
class ScopeWalk {
 public:
  struct Step {
    sync::Cid cid;
    Bytes block;
  };
  // The source outlives this.
  ScopeWalk(sync::BlockSource& source, const sync::Cid& root, const sync::DagScope& scope,
            Repeats repeats);
  ScopeWalk(const ScopeWalk&) = delete;
  ScopeWalk& operator=(const ScopeWalk&) = delete;

  // The next block; none at the end. After an error it is over. See visit_scope() for the order and
  // the errors.
  Result<std::optional<Step>> next();

 private:
  using Visit = sync::ScopeGuide::Visit;
  // The block of this visit when it is to be given out; its links wait on the stack.
  Result<std::optional<Step>> look(const Visit& at);

  // constant after construction
  sync::BlockSource& source_;
  const sync::Cid root_;
  const bool once_;

  sync::ScopeGuide guide_;
  bool begun_ = false;
  std::optional<Error> failed_;
  uint64_t repeated_ = 0;
  sync::FingerprintSet seen_;
  sync::FingerprintSet sent_;
  sync::LinkStack stack_;
};

}  // namespace ipnscast::bridge
