#include "ipnscast/sync/publish/kept_content.h"

#include <algorithm>
#include <numeric>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"
#include "ipnscast/sync/state/publish_state.h"

namespace ipnscast::sync {
namespace {

void append(std::vector<Cid>& to, const std::vector<Cid>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

uint64_t sum(const std::vector<uint64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
}

bool contains(const std::vector<Cid>& roots, const Cid& root) {
  return std::any_of(roots.begin(), roots.end(),
                     [&](const Cid& one) { return one.as_v1() == root.as_v1(); });
}

}  // namespace

void KeptContent::note(const IpnsName& name, const WriterState& state) {
  KeptRoots roots = kept_roots(state);
  std::lock_guard lock(mutex_);
  if (roots == KeptRoots{}) {
    if (names_.erase(name) == 0) return;
  } else {
    KeptRoots& now = names_[name];
    if (now == roots) return;
    now = std::move(roots);
  }
  apply();
}

void KeptContent::look() {
  std::lock_guard lock(mutex_);
  const Status read = writer_.run([&](store::Database& db) -> Status {
    auto roots = load_unplaced_versions(db);
    if (!roots) return fail(roots.error());
    unplaced_ = std::move(*roots);
    return {};
  });
  if (!read) log_error("publisher", "cannot read what no node has: " + read.error().message);
  apply();
}

std::vector<Cid> KeptContent::displaced() const {
  std::vector<Cid> out;
  for (const auto& [name, roots] : names_) append(out, roots.lost);
  return out;
}

std::vector<Cid> KeptContent::waiting() const {
  std::vector<Cid> out;
  for (const auto& [name, roots] : names_) append(out, roots.queued);
  append(out, unplaced_);
  return out;
}

void KeptContent::apply() {
  BlockCache::Kept kept{.apart = displaced(), .most = most_};
  append(kept.apart, waiting());
  for (const auto& [name, roots] : names_) {
    append(kept.yielding, roots.perhaps_lost);
    append(kept.held, roots.open);
  }
  cache_.set_kept(std::move(kept));
}

Status KeptContent::check_publish(const IpnsName& name, const std::optional<Cid>& root) {
  std::lock_guard lock(mutex_);
  const auto own = names_.find(name);
  if (root && own != names_.end() && contains(own->second.lost, *root)) return {};
  const uint64_t bytes = sum(cache_.sizes(displaced()));
  if (bytes < most_) return {};
  std::string whose;
  for (const auto& [one, roots] : names_) {
    if (!roots.lost.empty()) whose += (whose.empty() ? "" : ", ") + one.to_string();
  }
  return fail(Errc::refused, "displaced publishes of this device take up " + size_text(bytes) +
                                 " here, and handover.kept allows " + size_text(most_) +
                                 ": look at them (history NAME --lost) and strike them off "
                                 "(forget NAME --lost), NAME being " +
                                 whose);
}

Status KeptContent::check_queue(const Cid& root) {
  std::lock_guard lock(mutex_);
  std::vector<Cid> all = displaced();
  append(all, waiting());
  all.push_back(root);
  std::vector<uint64_t> sizes = cache_.sizes(all);
  const uint64_t more = sizes.back();
  sizes.pop_back();
  const uint64_t bytes = sum(sizes);
  if (bytes == 0 || more == 0 || bytes + more <= most_) return {};
  return fail(Errc::refused,
              "not queued: these are " + size_text(more) +
                  ", and publishes that no node has yet or that were displaced take up " +
                  size_text(bytes) + " of the " + size_text(most_) +
                  " that handover.kept allows; wait for a node, or make kept larger");
}

}  // namespace ipnscast::sync
