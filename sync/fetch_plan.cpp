#include "sync/fetch_plan.h"

#include <algorithm>

#include "sync/ipfs/dag_links.h"
#include "sync/ipfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kFewLeaves = 8;
constexpr char kPlaced = '\1';  // after the key of a block of which not all below is wanted

// Where all below a block is wanted, it does not matter where it stands.
std::string place_text(const ScopeGuide::Place& place) {
  if (place.kind == ScopeGuide::Place::Kind::whole) return {};
  return '\0' + std::to_string(static_cast<int>(place.kind)) + ' ' + std::to_string(place.step) +
         ' ' + std::to_string(place.bits) + ' ' + std::to_string(place.offset);
}

// Steps that a URL cannot say.
bool can_ask_for(const DagScope& scope) {
  const auto steps = path_steps(scope.path);
  return std::none_of(steps.begin(), steps.end(),
                      [](const std::string& step) { return step == "." || step == ".."; });
}

}  // namespace

std::string FetchPlan::key(const Cid& cid) { return std::string(as_text(block_key(cid))); }

Status FetchPlan::begin(const Cid& root) {
  auto first = guide_.begin(root);
  if (!first) return fail(first.error());
  Status status = discover({std::move(*first)}, nullptr, nullptr);
  if (shares_) {
    for (auto& [name, wanted] : wanted_) wanted.bulk = false;
  } else if (const auto it = wanted_.find(key(root)); it != wanted_.end()) {
    it->second.scoped = !scope_.is_whole() && can_ask_for(scope_);
  }
  return status;
}

bool FetchPlan::wanted(const Cid& cid) const { return wanted_.count(key(cid)) != 0; }

std::optional<FetchPlan::Task> FetchPlan::next_task(size_t streams) {
  while (!below_.empty() && streams_.size() < streams) {
    const Task task = std::move(below_.front());
    below_.pop_front();
    if (!owes(task)) {
      owned_.erase(task.owner);
      continue;
    }
    streams_.insert(task.owner);
    return task;
  }
  for (size_t tries = unowned_.size(); tries > 0; --tries) {
    std::string name = std::move(unowned_.front());
    unowned_.pop_front();
    const auto it = wanted_.find(name);
    if (it == wanted_.end() || it->second.owner != 0) continue;
    const bool scoped = it->second.scoped;
    const bool car = scoped || (it->second.bulk && may_have_links(it->second.cid));
    if (car && streams_.size() >= streams) {
      unowned_.push_back(std::move(name));
      continue;
    }
    it->second.owner = ++last_owner_;
    if (car) streams_.insert(last_owner_);
    owned_[last_owner_].push_back(std::move(name));
    return Task{last_owner_, it->second.cid, car ? Kind::car : Kind::raw,
                scoped ? &scope_ : nullptr};
  }
  return std::nullopt;
}

Result<FetchPlan::Accepted> FetchPlan::accept(const Task& task, const Cid& cid,
                                              const SharedBlock& block) {
  if (cid.is_identity()) return Accepted{};
  return accept_key(task, key(cid), block);
}

Result<FetchPlan::Accepted> FetchPlan::accept_key(const Task& task, const std::string& key,
                                                  const SharedBlock& block) {
  Accepted out;
  const auto it = wanted_.find(key);
  if (it == wanted_.end()) {
    const bool known = seen_.count(key) != 0 || seen_.count(key + kPlaced) != 0;
    out.verdict = known ? Verdict::unwanted : Verdict::unexpected;
    return out;
  }
  if (block->size() > bytes_left()) {
    return fail(Errc::too_large, "content of more than " + std::to_string(max_bytes_) + " bytes");
  }
  // The codec is the link's, not what a stream claims.
  if (Status status = cache_.put(it->second.cid, block); !status) return fail(status.error());
  const Wanted wanted = std::move(wanted_.extract(it).mapped());
  bytes_ += block->size();
  ++blocks_;
  out.verdict = Verdict::accepted;
  auto links = guide_.links({wanted.cid, wanted.place}, *block);
  if (!links) return fail(links.error().within(wanted.cid.to_string()));
  for (const Place& place : wanted.others) {
    auto more = guide_.links({wanted.cid, place}, *block);
    if (!more) return fail(more.error().within(wanted.cid.to_string()));
    links->insert(links->end(), std::make_move_iterator(more->begin()),
                  std::make_move_iterator(more->end()));
  }
  const bool placed = wanted.place.kind != Place::Kind::whole;
  const bool unknown = !placed && !wanted.bulk && nothing_known(*links);
  const bool descend = placed ? shares_ : !wanted.bulk && !unknown;
  if (Status status = discover(std::move(*links), &task, &out.now_wanted); !status)
    return fail(status.error());
  if (descend) {
    for (const std::string& child : out.now_wanted) wanted_.at(child).bulk = false;
  } else if (unknown && shares_ && task.kind == Kind::raw && worth_a_stream(out.now_wanted)) {
    stream_below(wanted.cid, out.now_wanted);
  }
  return out;
}

// A few leaves come as fast by themselves, all at once.
bool FetchPlan::worth_a_stream(const std::vector<std::string>& links) const {
  return links.size() > kFewLeaves ||
         (links.size() > 1 &&
          std::any_of(links.begin(), links.end(), [this](const std::string& name) {
            return may_have_links(wanted_.at(name).cid);
          }));
}

// One stream for all that a node links to.
void FetchPlan::stream_below(const Cid& cid, const std::vector<std::string>& links) {
  const Owner owner = ++last_owner_;
  for (const std::string& name : links) wanted_.at(name).owner = owner;
  owned_[owner] = links;
  below_.push_back({owner, cid, Kind::car, nullptr});
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
  if (raw_only && own != wanted_.end() && own->second.owner == task.owner)
    own->second.bulk = own->second.scoped = false;
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
Status FetchPlan::discover(Visits open, const Task* task, std::vector<std::string>* now_wanted) {
  std::reverse(open.begin(), open.end());
  const Owner owner = task != nullptr && task->kind == Kind::car ? task->owner : 0;
  while (!open.empty()) {
    const ScopeGuide::Visit visit = std::move(open.back());
    open.pop_back();
    const bool inner = ScopeGuide::looks_into(visit);
    std::optional<Bytes> block;
    if (visit.cid.is_identity()) {
      if (!inner) continue;
      block = visit.cid.hash.digest;
    } else {
      std::string name = key(visit.cid);
      if (!seen_.insert(name + place_text(visit.place)).second) continue;
      bool here = false;
      if (inner) {
        auto read = cache_.get(visit.cid);
        if (!read) return fail(read.error());
        block = std::move(*read);
        here = block.has_value();
      } else {
        here = cache_.has(visit.cid);
      }
      if (!here) {
        want(visit, name, owner, now_wanted);
        continue;
      }
    }
    if (!block) continue;
    auto links = guide_.links(visit, *block);
    if (!links) return fail(links.error().within(visit.cid.to_string()));
    open.insert(open.end(), std::make_move_iterator(links->rbegin()),
                std::make_move_iterator(links->rend()));
  }
  return {};
}

void FetchPlan::want(const ScopeGuide::Visit& visit, const std::string& name, Owner owner,
                     std::vector<std::string>* now_wanted) {
  const auto known = wanted_.find(name);
  if (visit.place.kind != Place::Kind::whole) seen_.insert(name + kPlaced);
  if (known != wanted_.end()) return known->second.others.push_back(visit.place);
  if (now_wanted != nullptr) now_wanted->push_back(name);
  if (owner == 0)
    unowned_.push_back(name);
  else
    owned_[owner].push_back(name);
  Wanted wanted{visit.cid, owner};
  wanted.bulk = visit.place.kind == Place::Kind::whole;
  wanted.place = visit.place;
  wanted_.emplace(name, std::move(wanted));
}

bool FetchPlan::nothing_known(const Visits& links) {
  return std::none_of(links.begin(), links.end(),
                      [&](const ScopeGuide::Visit& visit) { return cache_.has(visit.cid); });
}

}  // namespace ipnscast::sync
