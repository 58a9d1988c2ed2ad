#include <algorithm>
#include <optional>

#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxFileDepth = 64;

class ContentReader {
 public:
  using Part = std::pair<uint64_t, uint64_t>;  // [first, second)
  // With `part`, what has none of its bytes is not read.
  ContentReader(DagBudget& budget, BlockSource& source, const OnBytes& on_bytes,
                std::optional<Part> part)
      : budget_(budget), source_(source), on_bytes_(on_bytes), part_(part) {}

  // Depth first: a node's own bytes, then its children's. That each child has the size its parent
  // says makes the total the size of the root, which was checked against the budget before the
  // first byte.
  Status emit(const UnixfsNode& node, size_t depth) {
    if (depth > kMaxFileDepth) return fail(Errc::too_large, "unixfs: file nested too deeply");
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
    if (bytes.empty()) return {};
    const Status allowed = budget_.write(bytes.size());
    return allowed ? on_bytes_(bytes) : allowed;
  }

  Status emit_child(const Cid& cid, uint64_t size, size_t depth) {
    auto block = budget_.read(source_, cid);
    if (!block) return fail(block.error());
    const auto child = decode_node(cid, std::move(*block));
    if (!child) return fail(child.error());
    if (!child->is_file() || child->size() != size) {
      return fail(Errc::parse, "unixfs: a part of a file is not what its parent says");
    }
    // Without bytes a tree could branch for ever and cost time only.
    if (size == 0 && !child->links.empty())
      return fail(Errc::parse, "unixfs: an empty part with children");
    Status held = budget_.open(child->links.size());
    if (!held) return held;
    held = emit(*child, depth);
    budget_.close(child->links.size());
    return held;
  }

  DagBudget& budget_;
  BlockSource& source_;
  const OnBytes& on_bytes_;
  const std::optional<Part> part_;
  uint64_t offset_ = 0;  // in the file, of what comes next
};

}  // namespace

Result<uint64_t> read_file_content(BlockSource& source, const Cid& file, uint64_t max_bytes,
                                   const OnBytes& on_bytes, const std::optional<ByteRange>& range) {
  DagBudget budget({.max_bytes = max_bytes});
  auto block = budget.read(source, file);
  if (!block) return fail(block.error());
  const auto node = decode_node(file, std::move(*block));
  if (!node) return fail(node.error());
  if (!node->is_file()) return fail(Errc::mismatch, file.to_string() + " is no file");
  return read_file_content(budget, source, *node, on_bytes, range);
}

Result<uint64_t> read_file_content(DagBudget& budget, BlockSource& source, const UnixfsNode& file,
                                   const OnBytes& on_bytes, const std::optional<ByteRange>& range) {
  std::optional<ContentReader::Part> part;
  if (range) part = range->within(file.size());
  const uint64_t size = part ? part->second - part->first : file.size();
  if (Status fits = budget.expect({.bytes = size}); !fits) return fail(fits.error());
  ContentReader reader(budget, source, on_bytes, part);
  const Status emitted = reader.emit(file, 0);
  if (!emitted) return fail(emitted.error());
  return size;
}

}  // namespace ipnscast::sync
