// What no pin holds gives way when the room is used up.
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/nostr/base/log.h"

namespace ipnscast::bridge {
namespace {

// Looking means walking everything that is pinned.
constexpr Milliseconds kLookAgain{60'000};

}  // namespace

// Whether some room was made.
Result<bool> BlockStore::make_room() {
  std::lock_guard one_at_a_time(garbage_mutex_);
  const Instant now = std::chrono::steady_clock::now();
  if (looked_for_garbage_ && now < *looked_for_garbage_ + kLookAgain) return false;
  uint64_t pins = 0;
  {
    std::lock_guard lock(mutex_);
    pins = pins_added_;
  }
  const auto held = held_by_pins();
  if (!held) {
    looked_for_garbage_ = now;
    log_warning("node", "no room can be made: " + held.error().message);
    return false;
  }
  const auto freed = remove_all_but(*held, pins);
  if (!freed) return fail(freed.error());
  log_info("node", "blocks that no pin holds gave way: " + std::to_string(*freed) + " bytes");
  if (*freed == 0) looked_for_garbage_ = now;
  return *freed > 0;
}

// The keys of all blocks below all pins. An error when one of them is not whole: then nobody knows
// what it holds.
Result<BlockStore::Keys> BlockStore::held_by_pins() {
  const auto roots = pins();
  if (!roots) return fail(roots.error());
  Keys held;
  for (const sync::Cid& root : *roots) {
    Status walked = visit_scope(*this, root, {}, [&](const sync::Cid& cid, ByteView) -> Status {
      held.emplace(as_text(sync::block_key(cid)));
      return {};
    });
    if (!walked) return fail(walked.error().within("pin " + root.to_string()));
  }
  return held;
}

// The bytes that were freed. None when a pin came since `pins` was read: it may hold any of them.
Result<uint64_t> BlockStore::remove_all_but(const Keys& held, uint64_t pins) {
  std::lock_guard lock(mutex_);
  if (pins != pins_added_) return 0;
  std::vector<Bytes> garbage;
  uint64_t freed = 0;
  {
    auto select = db_->prepare("SELECT key, length(data) FROM blocks WHERE put_at <= ?");
    select.bind(system_now().seconds().value - unpinned_.count());
    while (select.step()) {
      Bytes key = select.blob(0);
      if (held.count(std::string(as_text(key))) != 0) continue;
      freed += static_cast<uint64_t>(select.integer(1));
      garbage.push_back(std::move(key));
    }
    if (!select.status()) return fail(select.status().error());
  }
  Status status = db_->begin();
  for (auto key = garbage.begin(); status && key != garbage.end(); ++key) {
    auto removed = db_->prepare("DELETE FROM blocks WHERE key = ?").bind(ByteView(*key)).run();
    if (!removed) status = fail(removed.error());
  }
  if (status) {
    auto noted = db_->prepare("UPDATE total SET bytes = max(0, bytes - ?)")
                     .bind(static_cast<int64_t>(freed))
                     .run();
    if (!noted) status = fail(noted.error());
  }
  if (status) status = db_->commit();
  if (status) {
    removals_ += garbage.empty() ? 0 : 1;
    return freed;
  }
  db_->rollback();
  return fail(status.error());
}

}  // namespace ipnscast::bridge
