#include "ipnscast/sync/ipfs/unixfs/dag_measure.h"

#include <unordered_map>

#include "ipnscast/sync/ipfs/unixfs/hamt.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxDepth = 1024;
constexpr size_t kRememberedLeaves = 1 << 16;

struct Child {
  Cid cid;
  bool is_entry = false;  // of a directory
  bool is_part = false;   // of a file
};

std::vector<Child> children_of(const UnixfsNode& node) {
  const bool sharded = node.data.type == UnixfsType::hamt_shard;
  const size_t width = sharded ? hamt_prefix(0, node.data.fanout.value_or(8)).size() : 0;
  std::vector<Child> out;
  out.reserve(node.links.size());
  for (const PbLink& link : node.links) {
    const bool deeper = sharded && link.name && link.name->size() == width;
    out.push_back({link.cid, node.is_directory() && !deeper, node.is_file()});
  }
  return out;
}

class Measure {
 public:
  Measure(BlockSource& source, const DagLimits& limits) : source_(source), budget_(limits) {}

  Result<DagTotals> total(const Cid& cid, size_t depth) {
    if (depth > kMaxDepth) return fail(Errc::too_large, "dag: nested too deeply");
    const std::string key(as_text(cid.as_v1().encode()));
    if (const auto known = nodes_.find(key); known != nodes_.end()) return known->second;
    if (const auto known = leaves_.find(key); known != leaves_.end()) return known->second;
    const auto block = budget_.read(source_, cid);
    if (!block) return fail(block.error());
    DagTotals out{.visits = 1};
    std::vector<Child> children;
    if (const auto node = decode_node(cid, *block)) {
      if (node->is_file()) out.bytes = node->size();
      children = children_of(*node);
    }
    if (children.empty()) {
      if (leaves_.size() >= kRememberedLeaves) leaves_.clear();
      return leaves_[key] = out;
    }
    if (Status held = budget_.open(children.size()); !held) return fail(held.error());
    for (const Child& child : children) {
      if (Status added = add(child, depth, out); !added) return fail(added.error());
    }
    budget_.close(children.size());
    return nodes_[key] = out;
  }

 private:
  Status add(const Child& child, size_t depth, DagTotals& out) {
    if (child.is_entry) out.entries += out.entries < UINT64_MAX ? 1 : 0;
    if (child.is_part && child.cid.is(Codec::raw)) {  // its size is in its parent's already
      out += {.visits = 1};
      return {};
    }
    const auto below = total(child.cid, depth + 1);
    if (!below) return fail(below.error());
    out += {child.is_part ? 0 : below->bytes, below->entries, below->visits};
    // Of a directory all is meant, so that nothing beyond the limits has to be read.
    if (!child.is_entry) return {};
    return budget_.expect({.bytes = out.bytes, .entries = out.entries});
  }

  BlockSource& source_;
  DagBudget budget_;
  std::unordered_map<std::string, DagTotals> nodes_;   // with links
  std::unordered_map<std::string, DagTotals> leaves_;  // some of those without
};

}  // namespace

Result<DagTotals> measure_tree(BlockSource& source, const Cid& root, const DagLimits& limits) {
  auto out = Measure(source, limits).total(root, 0);
  if (out) *out += {.entries = 1};
  return out;
}

}  // namespace ipnscast::sync
