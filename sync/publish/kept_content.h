#pragma once

#include <map>
#include <mutex>

#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/writer/kept_roots.h"

namespace ipnscast::sync {

// Content of own publishes that perhaps only this device has: of those that were displaced, until
// somebody has dealt with them, and of those that no node has yet. It stays in the cache, beside
// the cache's own bound and within one of its own: when displaced content has reached that, nothing
// is published any more; when all of it has, nothing is queued. Content of publishes that are
// perhaps not displaced makes room. Thread-safe; waits for the state file.
class KeptContent {
 public:
  // `most`: bytes.
  KeptContent(store::Writer& writer, BlockCache& cache, uint64_t most)
      : writer_(writer), cache_(cache), most_(most) {}

  // The state file says this of a name now.
  void note(const IpnsName& name, const WriterState& state);
  // A node has got content, or is to get some.
  void look();

  // Before a publish. `root`: of what is published, where that is known already; bringing back what
  // was displaced is always allowed. Errc::refused.
  Status check_publish(const IpnsName& name, const std::optional<Cid>& root);
  // Before one that no node has yet. One of any size is allowed when nothing else is kept.
  // Errc::refused.
  Status check_queue(const Cid& root);

 private:
  // With mutex_ held.
  std::vector<Cid> displaced() const;
  std::vector<Cid> waiting() const;
  void apply();

  store::Writer& writer_;
  BlockCache& cache_;
  const uint64_t most_;

  std::mutex mutex_;
  // guarded by mutex_
  std::map<IpnsName, KeptRoots> names_;
  std::vector<Cid> unplaced_;  // current versions that no node has yet
};

}  // namespace ipnscast::sync
