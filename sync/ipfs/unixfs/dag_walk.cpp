#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/dag_json.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"
#include "ipnscast/sync/ipfs/unixfs/link_stack.h"

namespace ipnscast::sync {
namespace {

using Visit = ScopeGuide::Visit;

// The same bytes under another codec have other links.
std::string visit_key(const Cid& cid) { return std::string(as_text(cid.as_v1().encode())); }

Result<std::vector<Visit>> visits_below(const Cid& cid, ByteView block) {
  auto links = block_links(cid, block);
  if (!links) return fail(std::move(links.error()));
  std::vector<Visit> out;
  out.reserve(links->size());
  for (Cid& link : *links) out.push_back({std::move(link), {}});
  return out;
}

}  // namespace

Result<std::vector<Cid>> block_links(const Cid& cid, ByteView block) {
  if (cid.is(Codec::raw) || cid.is(Codec::json) || cid.is(Codec::cbor)) return std::vector<Cid>{};
  if (cid.is(Codec::dag_cbor)) return dag_cbor_links(block, {.canonical = false});
  if (cid.is(Codec::dag_json)) return dag_json_links(block);
  if (!cid.is(Codec::dag_pb))
    return fail(Errc::unsupported, "block " + cid.to_string() + ": unknown codec");
  auto node = decode_dag_pb(block);
  if (!node) return fail(std::move(node.error()));
  std::vector<Cid> out;
  out.reserve(node->links.size());
  for (PbLink& link : node->links) out.push_back(std::move(link.cid));
  return out;
}

Result<WalkResult> walk_dag(BlockSource& source, const Cid& root, const WalkLimits& limits,
                            const OnWalkedBlock& on_block, size_t max_missing) {
  WalkResult out;
  FingerprintSet seen;
  LinkStack open([&](const Visit& parent) -> Result<std::vector<Visit>> {
    const auto block = read_block(source, parent.cid);
    if (!block) return fail(block.error());
    return visits_below(parent.cid, *block);
  });
  std::optional<LinkStack::Next> next{{{root, {}}}};  // marked with its depth
  for (bool is_root = true; next; is_root = false) {
    const Cid& cid = next->visit.cid;
    const bool left_out = !is_root && limits.leave_out && limits.leave_out(cid);
    if (!left_out && seen.insert(visit_key(cid))) {
      if (next->mark > limits.max_depth) return fail(Errc::too_large, "dag: nested too deeply");
      if (seen.size() > limits.max_blocks) return fail(Errc::too_large, "dag: too many blocks");
      if (limits.deadline && std::chrono::steady_clock::now() >= *limits.deadline)
        return fail(Errc::timeout, "dag: not walked within the deadline");
      const auto block = read_block(source, cid);
      if (!block && block.error().code != Errc::not_found) return fail(block.error());
      if (!block && out.missing.size() < max_missing) out.missing.push_back(cid);
      if (block) {
        ++out.blocks;
        out.bytes += block->size();
        if (out.bytes > limits.max_bytes) return fail(Errc::too_large, "dag: over the byte budget");
        if (on_block) {
          const Status taken = on_block(cid, *block);
          if (!taken) return fail(taken.error());
        }
        auto below = visits_below(cid, *block);
        if (!below) return fail(std::move(below.error()));
        const Status pushed = open.push(next->visit, std::move(*below), next->mark + 1);
        if (!pushed) return fail(pushed.error());
      }
    }
    auto popped = open.pop();
    if (!popped) return fail(popped.error());
    next = std::move(*popped);
  }
  return out;
}

}  // namespace ipnscast::sync
