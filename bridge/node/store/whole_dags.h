#pragma once

#include <atomic>
#include <map>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::bridge {

// Finds out whether the DAGs below some roots are all there. What was learned below one root is not
// looked at again below the next, so that many roots over the same blocks cost what one does. One
// thread at a time.
class WholeDags {
 public:
  // Both outlive this. Once `stopping` is set, checks end with Errc::closed.
  WholeDags(sync::BlockSource& source, const std::atomic<bool>& stopping)
      : source_(source), stopping_(stopping) {}

  // Errc::not_found naming a block that is missing below the root; Errc::parse for one that does
  // not decode; the source's error.
  Status check(const sync::Cid& root);

 private:
  struct Frame;
  Result<std::vector<sync::Cid>> links_of(const sync::Cid& cid);

  sync::BlockSource& source_;
  const std::atomic<bool>& stopping_;
  // By CID, as the same bytes have links under one codec and none under another. What is being
  // walked counts as whole: no block can lead to itself.
  std::map<Bytes, Status, BytesLess> known_;
};

}  // namespace ipnscast::bridge
