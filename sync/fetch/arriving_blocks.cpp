#include "ipnscast/sync/fetch/arriving_blocks.h"

#include "ipnscast/sync/fetch/plan.h"

namespace ipnscast::sync {

// What is awaited is said before the cache is asked: a block that comes in between is not missed.
Result<std::optional<Bytes>> ArrivingBlocks::get(const Cid& cid) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool last = ended_;
    awaited_ = FetchPlan::key(cid);
    lock.unlock();
    auto block = cache_.get(cid);
    if (last || !block || *block) return block;
    lock.lock();
    changed_.wait(lock, [&] { return awaited_.empty() || ended_; });
  }
}

void ArrivingBlocks::arrived(std::string_view key) {
  {
    std::lock_guard lock(mutex_);
    if (awaited_ != key) return;
    awaited_.clear();
  }
  changed_.notify_one();
}

void ArrivingBlocks::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
}

}  // namespace ipnscast::sync
