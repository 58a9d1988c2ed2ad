#include "ipnscast/sync/fetch/plan.h"

#include <algorithm>

#include "ipnscast/sync/ipfs/ipld/dag_links.h"
#include "ipnscast/sync/ipfs/ipld/hash_form.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kFewLeaves = 8;
constexpr size_t kStaleNames = 1024;
// After the key of a block of which not all below is wanted.
constexpr std::string_view kPlaced = "\1";

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

FetchPlan::FetchPlan(BlockCache& cache, uint64_t max_bytes, bool shares, DagScope scope,
                     std::optional<Instant> deadline, size_t most_wanted)
    : cache_(cache),
      max_bytes_(max_bytes),
      shares_(shares),
      scope_(std::move(scope)),
      deadline_(deadline),
      most_wanted_(most_wanted),
      guide_(scope_),
      open_([this](const Visit& parent) { return links_again(parent); }) {}

Status FetchPlan::begin(const Cid& root) {
  auto first = guide_.begin(root);
  if (!first) return fail(first.error());
  Found found;
  Status status = meet(std::move(*first), !shares_, 0, found.below);
  if (status) status = walk(0, 0, found);
  hand_out(found.below);
  if (shares_) return status;
  if (const auto it = wanted_.find(key(root)); it != wanted_.end())
    it->second.scoped = !scope_.is_whole() && can_ask_for(scope_);
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
  const bool streams_left = streams_.size() < streams;
  if (streams_left) {
    if (auto task = take_unowned(unowned_streams_, true)) return task;
  }
  return take_unowned(unowned_, streams_left);
}

std::optional<FetchPlan::Task> FetchPlan::take_unowned(std::vector<std::string>& from,
                                                       bool streams_left) {
  while (!from.empty()) {
    std::string name = std::move(from.back());
    from.pop_back();
    const auto it = wanted_.find(name);
    if (it == wanted_.end() || it->second.owner != 0) continue;
    const bool scoped = it->second.scoped;
    const bool car = scoped || (it->second.bulk && may_have_links(it->second.cid));
    if (car && !streams_left) {
      unowned_streams_.push_back(std::move(name));
      continue;
    }
    it->second.owner = ++last_owner_;
    if (car) streams_.insert(last_owner_);
    own(last_owner_, name);
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
    const bool known = seen_.contains(key) || seen_.contains(key, kPlaced);
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
  const Visit visit{wanted.cid, wanted.place};
  auto links = links_of(visit, *block);
  if (!links) return fail(links.error());
  const bool placed = wanted.place.kind != Place::Kind::whole;
  const bool unknown = !placed && !wanted.bulk && nothing_known(*links);
  const bool descend = placed ? shares_ : !wanted.bulk && !unknown;
  const size_t level = open_.levels();
  for (auto place = wanted.others.rbegin(); place != wanted.others.rend(); ++place) {
    const Visit other{wanted.cid, *place};
    auto more = links_of(other, *block);
    if (!more) return fail(more.error());
    if (Status pushed = open_.push(other, std::move(*more), descend ? 0 : 1); !pushed)
      return fail(pushed.error());
  }
  if (Status pushed = open_.push(visit, std::move(*links), descend ? 0 : 1); !pushed)
    return fail(pushed.error());
  Found found;
  if (Status status = walk(level, task.kind == Kind::car ? task.owner : 0, found); !status)
    return fail(status.error());
  if (!descend && unknown && shares_ && task.kind == Kind::raw && worth_a_stream(found.below))
    stream_below(wanted.cid, found.below);
  else if (task.kind != Kind::car)
    hand_out(found.below);
  out.now_wanted = std::move(found.below);
  out.now_wanted.insert(out.now_wanted.end(), std::make_move_iterator(found.later.begin()),
                        std::make_move_iterator(found.later.end()));
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
  auto node = owned_.extract(owner);
  if (node.empty()) return;
  auto& names = node.mapped();
  std::erase_if(names, [&](const std::string& name) {
    const auto it = wanted_.find(name);
    if (it == wanted_.end() || it->second.owner != owner) return true;
    it->second.owner = 0;
    return false;
  });
  hand_out(names);
}

void FetchPlan::own(Owner owner, const std::string& name) {
  auto& names = owned_[owner];
  names.push_back(name);
  if (names.size() <= 2 * wanted_.size() + kStaleNames) return;
  std::erase_if(names, [&](const std::string& one) {
    const auto it = wanted_.find(one);
    return it == wanted_.end() || it->second.owner != owner;
  });
}

// The first is taken first: so the fetch goes down before it goes on.
void FetchPlan::hand_out(const std::vector<std::string>& names) {
  unowned_.insert(unowned_.end(), names.rbegin(), names.rend());
}

Result<FetchPlan::Visits> FetchPlan::links_of(const Visit& visit, ByteView block) {
  auto links = guide_.links(visit, block);
  if (!links) return fail(links.error().within(visit.cid.to_string()));
  return links;
}

Result<FetchPlan::Visits> FetchPlan::links_again(const Visit& parent) {
  if (parent.cid.is_identity()) return links_of(parent, parent.cid.hash.digest);
  const auto block = cache_.get(parent.cid);
  if (!block) return fail(block.error());
  if (!*block)
    return fail(Errc::io, "block cache: lost " + parent.cid.to_string() + " during a fetch");
  return links_of(parent, **block);
}

// Goes over what is in the cache, depth first, as long as there is room for what is missing. Links
// of the blocks from `level` on belong to `owner`.
Status FetchPlan::walk(size_t level, Owner owner, Found& found) {
  Status status;
  while (status && wanted_.size() < most_wanted_) {
    auto next = open_.pop();
    if (!next) return fail(next.error());
    if (!*next) break;
    const bool below = (*next)->level >= level;
    status = meet(std::move((*next)->visit), (*next)->mark != 0, below ? owner : 0,
                  below ? found.below : found.later);
  }
  hand_out(found.later);
  return status;
}

// One link: it is walked into when its block is here, wanted otherwise.
Status FetchPlan::meet(Visit visit, bool bulk, Owner owner, std::vector<std::string>& found) {
  if (deadline_ && std::chrono::steady_clock::now() >= *deadline_)
    return fail(Errc::timeout, "content not looked through within the deadline");
  const bool inner = ScopeGuide::looks_into(visit);
  std::optional<Bytes> block;
  if (visit.cid.is_identity()) {
    if (!inner) return {};
    block = visit.cid.hash.digest;
  } else {
    if (const Status form = check_form(visit.cid.hash); !form)
      return fail(form.error().within("block " + visit.cid.to_string()));
    const std::string name = key(visit.cid);
    // Of a leaf it does not matter where it stands.
    if (!seen_.insert(name, inner ? place_text(visit.place) : std::string())) return {};
    if (seen_.size() > kMostBlocks) return fail(Errc::too_large, "dag: too many blocks");
    bool here = false;
    if (inner) {
      auto read = cache_.get(visit.cid);
      if (!read) return fail(read.error());
      block = std::move(*read);
      here = block.has_value();
    } else {
      here = cache_.has(visit.cid);
    }
    if (!here) want(visit, name, bulk, owner, found);
  }
  if (!block) return {};
  auto links = links_of(visit, *block);
  if (!links) return fail(links.error());
  return open_.push(std::move(visit), std::move(*links), bulk ? 1 : 0);
}

void FetchPlan::want(const Visit& visit, const std::string& name, bool bulk, Owner owner,
                     std::vector<std::string>& found) {
  const auto known = wanted_.find(name);
  const bool whole = visit.place.kind == Place::Kind::whole;
  if (!whole) seen_.insert(name, kPlaced);
  if (known != wanted_.end()) return known->second.others.push_back(visit.place);
  Wanted wanted{visit.cid, owner};
  wanted.bulk = whole && bulk;
  wanted.place = visit.place;
  wanted_.emplace(name, std::move(wanted));
  if (owner != 0) own(owner, name);
  found.push_back(name);
}

bool FetchPlan::nothing_known(const Visits& links) {
  return std::none_of(links.begin(), links.end(),
                      [&](const Visit& visit) { return cache_.has(visit.cid); });
}

}  // namespace ipnscast::sync
