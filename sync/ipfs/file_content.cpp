#include <algorithm>
#include <optional>

#include "sync/ipfs/unixfs.h"
#include "sync/ipfs/unpacker.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxDepth = 64;

class ContentReader {
 public:
  using Part = std::pair<uint64_t, uint64_t>;  // [first, second)
  // With `part`, what has none of its bytes is not read.
  ContentReader(BlockSource& source, const OnBytes& on_bytes, std::optional<Part> part)
      : source_(source), on_bytes_(on_bytes), part_(part) {}

  // Depth first: a node's own bytes, then its children's. That each child has the size its parent
  // says makes the total the size of the root, which was checked against the budget before the
  // first byte.
  Status emit(const UnixfsNode& node, size_t depth) {
    if (depth > kMaxDepth) return fail(Errc::too_large, "unixfs: file nested too deeply");
    if (node.data.data) {
      if (Status taken = take(*node.data.data); !taken) return taken;
    }
    for (size_t i = 0; i < node.links.size(); ++i) {
      const uint64_t size = node.data.blocksizes[i];
      if (part_ && (offset_ + size <= part_->first || offset_ >= part_->second || size == 0)) {
        offset_ += size;
        continue;
      }
      Status emitted = emit_child(node.links[i].cid, size, depth + 1);
      if (!emitted) return emitted;
    }
    return {};
  }

 private:
  Status take(ByteView bytes) {
    if (part_) {
      const uint64_t end = offset_ + bytes.size();
      const uint64_t from = std::clamp(part_->first, offset_, end) - offset_;
      const uint64_t to = std::clamp(part_->second, offset_, end) - offset_;
      bytes = bytes.subspan(from, to - from);
      offset_ = end;
    }
    return bytes.empty() ? Status() : on_bytes_(bytes);
  }

  Status emit_child(const Cid& cid, uint64_t size, size_t depth) {
    auto block = read_block(source_, cid);
    if (!block) return fail(block.error());
    const auto child = decode_node(cid, std::move(*block));
    if (!child) return fail(child.error());
    if (!child->is_file() || child->size() != size) {
      return fail(Errc::parse, "unixfs: a part of a file is not what its parent says");
    }
    // Without bytes a tree could branch for ever and cost time only.
    if (size == 0 && !child->links.empty())
      return fail(Errc::parse, "unixfs: an empty part with children");
    return emit(*child, depth);
  }

  BlockSource& source_;
  const OnBytes& on_bytes_;
  const std::optional<Part> part_;
  uint64_t offset_ = 0;  // in the file, of what comes next
};

}  // namespace

Result<uint64_t> read_file_content(BlockSource& source, const Cid& file, uint64_t max_bytes,
                                   const OnBytes& on_bytes, const std::optional<ByteRange>& range) {
  auto block = read_block(source, file);
  if (!block) return fail(block.error());
  const auto node = decode_node(file, std::move(*block));
  if (!node) return fail(node.error());
  if (!node->is_file()) return fail(Errc::mismatch, file.to_string() + " is no file");
  std::optional<ContentReader::Part> part;
  if (range) part = range->within(node->size());
  const uint64_t size = part ? part->second - part->first : node->size();
  if (size > max_bytes) return fail(Errc::too_large, "file: over the byte budget");
  ContentReader reader(source, on_bytes, part);
  const Status emitted = reader.emit(*node, 0);
  if (!emitted) return fail(emitted.error());
  return size;
}

}  // namespace ipnscast::sync
