#include "ipnscast/sync/publish/content_plan.h"

#include <algorithm>

#include "ipnscast/sync/ipfs/ipld/dag_links.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

std::string plan_key(const Cid& cid) { return std::string(as_text(cid.as_v1().encode())); }

}  // namespace

void KnownBlocks::add(BlockSource& source, const Cid& root, size_t most) {
  // Only what was not noted before is looked into, so that no more is open than is noted.
  std::vector<Cid> open;
  const auto note = [&](const Cid& cid) {
    if (keys_.size() < most && keys_.insert(plan_key(cid)).second && may_have_links(cid))
      open.push_back(cid);
  };
  note(root);
  while (!open.empty()) {
    const Cid cid = std::move(open.back());
    open.pop_back();
    // What is no longer here hides what is below it, which is known with it all the same.
    const auto block = read_block(source, cid);
    if (!block) continue;
    if (const auto links = block_links(cid, *block))
      std::for_each(links->begin(), links->end(), note);
  }
}

bool KnownBlocks::has(const Cid& cid) const { return keys_.count(plan_key(cid)) != 0; }

Result<ContentPlan> plan_content(BlockSource& source, const Cid& root, const KnownBlocks& known,
                                 size_t batch_bytes) {
  ContentPlan out;
  WalkLimits limits;
  limits.leave_out = [&](const Cid& cid) { return known.has(cid); };
  const auto take = [&](const Cid& cid, ByteView block) -> Status {
    if (cid.is_identity()) return {};
    if (out.batches.empty() || out.batches.back().bytes + block.size() > batch_bytes)
      out.batches.push_back({out.blocks.size(), out.blocks.size(), 0});
    out.blocks.push_back(cid);
    out.batches.back().end = out.blocks.size();
    out.batches.back().bytes += block.size();
    out.bytes += block.size();
    return {};
  };
  const auto walked = walk_dag(source, root, limits, take);
  if (!walked) return fail(walked.error());
  if (!walked->is_complete()) {
    return fail(Errc::not_found, "not all blocks are here: " + walked->missing.front().to_string());
  }
  return out;
}

}  // namespace ipnscast::sync
