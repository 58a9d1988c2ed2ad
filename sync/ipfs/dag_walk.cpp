#include "sync/ipfs/dag_walk.h"

#include <unordered_set>

#include "sync/ipfs/dag_cbor.h"
#include "sync/ipfs/dag_json.h"
#include "sync/ipfs/dag_pb.h"

namespace ipnscast::sync {
namespace {

struct Todo {
  Cid cid;
  size_t depth = 0;
};

// The same bytes under another codec have other links.
std::string visit_key(const Cid& cid) { return std::string(as_text(cid.as_v1().encode())); }

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
  std::unordered_set<std::string> seen = {visit_key(root)};
  std::vector<Todo> stack = {{root, 0}};
  while (!stack.empty()) {
    const Todo todo = std::move(stack.back());
    stack.pop_back();
    if (todo.depth > limits.max_depth) return fail(Errc::too_large, "dag: nested too deeply");
    const auto block = read_block(source, todo.cid);
    if (!block && block.error().code == Errc::not_found) {
      if (out.missing.size() < max_missing) out.missing.push_back(todo.cid);
      continue;
    }
    if (!block) return fail(block.error());
    ++out.blocks;
    out.bytes += block->size();
    if (out.bytes > limits.max_bytes) return fail(Errc::too_large, "dag: over the byte budget");
    if (on_block) {
      const Status taken = on_block(todo.cid, *block);
      if (!taken) return fail(taken.error());
    }
    auto links = block_links(todo.cid, *block);
    if (!links) return fail(std::move(links.error()));
    for (auto link = links->rbegin(); link != links->rend(); ++link) {
      if (limits.leave_out && limits.leave_out(*link)) continue;
      if (!seen.insert(visit_key(*link)).second) continue;
      if (seen.size() > limits.max_blocks) return fail(Errc::too_large, "dag: too many blocks");
      stack.push_back({std::move(*link), todo.depth + 1});
    }
  }
  return out;
}

}  // namespace ipnscast::sync
