#pragma once

#include <map>
#include <string>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

namespace ipnscast::test {

// Blocks by their CID, and DAGs to fill it with.
class BlockTable {
 public:
  sync::Cid add_raw(const std::string& bytes);
  // A dag-pb node with these links and some data of its own.
  sync::Cid add_node(const std::vector<sync::Cid>& links, const std::string& data = {});
  // A tree: `fanout` nodes of `fanout` leaves of `leaf_bytes` each, different for each seed.
  sync::Cid add_tree(int fanout, size_t leaf_bytes, int seed);

  void remove(const sync::Cid& cid) { blocks_.erase(cid.to_string()); }
  const std::string* find(const std::string& cid) const;
  std::map<std::string, std::string>& blocks() { return blocks_; }
  // A CAR of all that is here below the root, depth first, each block once.
  std::string car(const sync::Cid& root, bool reversed = false) const;

 private:
  std::map<std::string, std::string> blocks_;
};

// Fills a table with what a packer makes.
class TableSink final : public sync::BlockSink {
 public:
  explicit TableSink(BlockTable& table) : table_(table) {}
  Status put(const sync::Cid& cid, ByteView block) override {
    table_.blocks()[cid.to_string()] = as_text(block);
    return {};
  }

 private:
  BlockTable& table_;
};

// What a gateway over a table answers: raw blocks and CARs, 404 for what it does not have, the
// probe. `change` may spoil the answer to a CAR or block request.
ScriptedHttpServer::Script gateway_script(
    const BlockTable& table,
    std::function<void(const ScriptedRequest&, ScriptedAnswer&)> change = {});

}  // namespace ipnscast::test
