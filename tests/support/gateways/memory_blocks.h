#pragma once

#include <map>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::test {

// Blocks in memory: what a packer fills and a walker reads. Not thread-safe.
class MemoryBlocks final : public sync::BlockSource, public sync::BlockSink {
 public:
  Result<std::optional<Bytes>> get(const sync::Cid& cid) override {
    ++gets;
    const auto found = blocks.find(sync::block_key(cid));
    if (found == blocks.end()) return std::nullopt;
    return found->second;
  }
  Status put(const sync::Cid& cid, ByteView block) override {
    blocks[sync::block_key(cid)] = to_bytes(block);
    largest = std::max(largest, block.size());
    return {};
  }
  // Puts the block under the CID that its bytes have.
  sync::Cid add(sync::Codec codec, ByteView block) {
    const sync::Cid cid = *sync::make_cid(codec, block);
    blocks[sync::block_key(cid)] = to_bytes(block);
    return cid;
  }

  std::map<Bytes, Bytes, BytesLess> blocks;
  size_t gets = 0;
  size_t largest = 0;
};

}  // namespace ipnscast::test
