#include "sync/fetch_plan.h"

#include <algorithm>

#include "sync/ipfs/dag_links.h"
#include "sync/ipfs/dag_walk.h"

namespace ipnscast::sync {

std::string FetchPlan::key(const Cid& cid) { return std::string(as_text(block_key(cid))); }

Status FetchPlan::begin(const Cid& root) {
  Status status = discover({root}, nullptr, nullptr);
  if (shares_) {
    for (auto& [name, wanted] : wanted_) wanted.bulk = false;
  }
  return status;
}

bool FetchPlan::wanted(const Cid& cid) const { return wanted_.count(key(cid)) != 0; }

std::optional<FetchPlan::Task> FetchPlan::next_task(size_t streams) {
  for (size_t tries = unowned_.size(); tries > 0; --tries) {
    std::string name = std::move(unowned_.front());
    unowned_.pop_front();
    const auto it = wanted_.find(name);
    if (it == wanted_.end() || it->second.owner != 0) continue;
    const bool car = it->second.bulk && may_have_links(it->second.cid);
    if (car && streams_.size() >= streams) {
      unowned_.push_back(std::move(name));
      continue;
    }
    it->second.owner = ++last_owner_;
    if (car) streams_.insert(last_owner_);
    owned_[last_owner_].push_back(std::move(name));
    return Task{last_owner_, it->second.cid, car ? Kind::car : Kind::raw};
  }
  return std::nullopt;
}

Result<FetchPlan::Accepted> FetchPlan::accept(const Task& task, const Cid& cid, ByteView block) {
  if (cid.is_identity()) return Accepted{};
  return accept_key(task, key(cid), block);
}

Result<FetchPlan::Accepted> FetchPlan::accept_key(const Task& task, const std::string& key,
                                                  ByteView block) {
  Accepted out;
  const auto it = wanted_.find(key);
  if (it == wanted_.end()) {
    out.verdict = seen_.count(key) != 0 ? Verdict::unwanted : Verdict::unexpected;
    return out;
  }
  if (block.size() > bytes_left()) {
    return fail(Errc::too_large, "content of more than " + std::to_string(max_bytes_) + " bytes");
  }
  // The codec is the link's, not what a stream claims.
  const Cid wanted_cid = it->second.cid;
  const bool bulk = it->second.bulk;
  if (Status status = cache_.put(wanted_cid, block); !status) return fail(status.error());
  wanted_.erase(it);
  bytes_ += block.size();
  ++blocks_;
  out.verdict = Verdict::accepted;
  auto links = block_links(wanted_cid, block);
  if (!links) return fail(links.error().within(wanted_cid.to_string()));
  const bool descend = !bulk && !nothing_known(*links);
  if (Status status = discover(std::move(*links), &task, &out.now_wanted); !status)
    return fail(status.error());
  if (descend) {
    for (const std::string& child : out.now_wanted) wanted_.at(child).bulk = false;
  }
  return out;
}

bool FetchPlan::owes(const Task& task) const {
  const auto owned = owned_.find(task.owner);
  return owned != owned_.end() &&
         std::any_of(owned->second.begin(), owned->second.end(), [&](const std::string& name) {
           const auto it = wanted_.find(name);
           return it != wanted_.end() && it->second.owner == task.owner;
         });
}

void FetchPlan::release(const Task& task, bool raw_only) {
  const auto own = wanted_.find(key(task.cid));
  if (raw_only && own != wanted_.end() && own->second.owner == task.owner) own->second.bulk = false;
  hand_back(task.owner);
}

void FetchPlan::share(const Task& task) { hand_back(task.owner); }

void FetchPlan::hand_back(Owner owner) {
  streams_.erase(owner);
  const auto node = owned_.extract(owner);
  if (node.empty()) return;
  for (std::string& name : node.mapped()) {
    const auto it = wanted_.find(name);
    if (it == wanted_.end() || it->second.owner != owner) continue;
    it->second.owner = 0;
    unowned_.push_back(std::move(name));
  }
}

// Walks from `open` over what is in the cache. Depth first, in the order of the links.
Status FetchPlan::discover(std::vector<Cid> open, const Task* task,
                           std::vector<std::string>* now_wanted) {
  std::reverse(open.begin(), open.end());
  const Owner owner = task != nullptr && task->kind == Kind::car ? task->owner : 0;
  while (!open.empty()) {
    const Cid cid = std::move(open.back());
    open.pop_back();
    const bool inner = may_have_links(cid);
    std::optional<Bytes> block;
    if (cid.is_identity()) {
      if (!inner) continue;
      block = cid.hash.digest;
    } else {
      std::string name = key(cid);
      if (!seen_.insert(name).second) continue;
      bool here = false;
      if (inner) {
        auto read = cache_.get(cid);
        if (!read) return fail(read.error());
        block = std::move(*read);
        here = block.has_value();
      } else {
        here = cache_.has(cid);
      }
      if (!here) {
        if (now_wanted != nullptr) now_wanted->push_back(name);
        if (owner == 0)
          unowned_.push_back(name);
        else
          owned_[owner].push_back(name);
        wanted_.emplace(std::move(name), Wanted{cid, owner, true});
        continue;
      }
    }
    if (!block) continue;
    auto links = block_links(cid, *block);
    if (!links) return fail(links.error().within(cid.to_string()));
    open.insert(open.end(), std::make_move_iterator(links->rbegin()),
                std::make_move_iterator(links->rend()));
  }
  return {};
}

bool FetchPlan::nothing_known(const std::vector<Cid>& links) {
  return std::none_of(links.begin(), links.end(), [&](const Cid& cid) { return cache_.has(cid); });
}

}  // namespace ipnscast::sync
