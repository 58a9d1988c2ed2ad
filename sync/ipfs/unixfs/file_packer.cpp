#include "ipnscast/sync/ipfs/unixfs/file_packer.h"

#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {

Result<PackedEntry> put_node(const PbNode& node, BlockSink& sink) {
  const Bytes block = encode_dag_pb(node);
  auto cid = make_cid(Codec::dag_pb, block);
  if (!cid) return fail(std::move(cid.error()));
  const Status put = sink.put(*cid, block);
  if (!put) return fail(put.error());
  PackedEntry out{std::move(*cid), block.size(), 0};
  for (const PbLink& link : node.links) out.tsize += link.tsize.value_or(0);
  return out;
}

Status FilePacker::write(ByteView bytes) {
  while (!bytes.empty()) {
    // A full chunk is put when more comes, so that the last one, whole or not, is left for
    // finish().
    if (chunk_.size() == profile_.chunk_bytes) {
      Status added = add_leaf();
      if (!added) return added;
    }
    const size_t size = std::min(bytes.size(), profile_.chunk_bytes - chunk_.size());
    append(chunk_, bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return {};
}

Status FilePacker::add_leaf() {
  auto cid = make_cid(Codec::raw, chunk_);
  if (!cid) return fail(std::move(cid.error()));
  Status put = sink_.put(*cid, chunk_);
  if (!put) return put;
  PackedEntry leaf{std::move(*cid), chunk_.size(), chunk_.size()};
  chunk_.clear();
  return add(0, std::move(leaf));
}

// A full level becomes a node of the next when one more child comes: the root then is the topmost
// level, whatever the number of leaves.
Status FilePacker::add(size_t level, PackedEntry entry) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  if (levels_[level].children.size() == profile_.links_per_node) {
    auto node = make_node(levels_[level].children);
    if (!node) return fail(std::move(node.error()));
    levels_[level].children.clear();
    Status added = add(level + 1, std::move(*node));
    if (!added) return added;
  }
  levels_[level].children.push_back(std::move(entry));
  return {};
}

Result<PackedEntry> FilePacker::make_node(const std::vector<PackedEntry>& children) {
  PbNode node;
  UnixfsData data{.type = UnixfsType::file};
  uint64_t size = 0;
  for (const PackedEntry& child : children) {
    node.links.push_back({child.cid, std::string(), child.tsize});
    data.blocksizes.push_back(child.size);
    size += child.size;
  }
  data.filesize = size;
  node.data = encode_unixfs(data);
  auto out = put_node(node, sink_);
  if (out) out->size = size;
  return out;
}

Result<PackedEntry> FilePacker::finish() {
  const Status last = chunk_.empty() && !levels_.empty() ? Status{} : add_leaf();
  if (!last) return fail(last.error());
  for (size_t level = 0;; ++level) {
    const bool is_top = level + 1 == levels_.size();
    if (is_top && levels_[level].children.size() == 1) return levels_[level].children.front();
    auto node = make_node(levels_[level].children);
    if (!node || is_top) return node;
    const Status added = add(level + 1, std::move(*node));
    if (!added) return fail(added.error());
  }
}

}  // namespace ipnscast::sync
