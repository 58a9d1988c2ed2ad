#include "bridge/node/dag_scope.h"

#include <set>
#include <vector>

#include "sync/ipfs/dag_walk.h"
#include "sync/ipfs/hamt.h"
#include "sync/ipfs/path_resolver.h"
#include "sync/ipfs/unixfs.h"

namespace ipnscast::bridge {
namespace {

using sync::BlockSource;
using sync::Cid;
using Links = std::vector<Cid>;

// A shard's link to a deeper shard is named by its slot alone.
bool is_shard_link(const sync::PbLink& link, uint64_t fanout) {
  return link.name && link.name->size() == sync::hamt_prefix(0, fanout).size();
}

Links entity_links(const Cid& cid, ByteView block) {
  Links out;
  const auto node = sync::decode_node(cid, block);
  if (!node) return out;  // no file tree: the block is the entity
  const bool shard = node->data.type == sync::UnixfsType::hamt_shard;
  if (!node->is_file() && !shard) return out;
  for (const sync::PbLink& link : node->links) {
    if (!shard || is_shard_link(link, node->data.fanout.value_or(0))) out.push_back(link.cid);
  }
  return out;
}

Result<Links> links_within(DagScope scope, const Cid& cid, ByteView block) {
  if (scope == DagScope::block) return Links();
  if (scope == DagScope::entity) return entity_links(cid, block);
  auto links = sync::block_links(cid, block);
  // A block that we cannot look into is a leaf to us: it can still be carried.
  if (!links && links.error().code == Errc::unsupported) return Links();
  return links;
}

// Notes what somebody else reads.
class ReadBlocks final : public BlockSource {
 public:
  explicit ReadBlocks(BlockSource& source) : source_(source) {}
  Result<std::optional<Bytes>> get(const Cid& cid) override {
    read_.push_back(cid);
    return source_.get(cid);
  }
  const Links& read() const { return read_; }

 private:
  BlockSource& source_;
  Links read_;
};

// One walk over one or more roots: what was visited before is not visited again.
class Visit {
 public:
  Visit(BlockSource& source, const OnBlock& visit) : source_(source), visit_(visit) {}

  Status below(const Cid& root, DagScope scope) {
    Links stack = {root};  // what is to be visited, the next one last
    while (!stack.empty()) {
      const Cid cid = std::move(stack.back());
      stack.pop_back();
      // By codec too: the same bytes may be a leaf under one CID and have links under another.
      if (!seen_.insert(cid.as_v1()).second) continue;
      const auto block = sync::read_block(source_, cid);
      if (!block && block.error().code == Errc::not_found) return fail(block_missing(cid));
      if (!block) return fail(block.error());
      if (Status sent = send(cid, *block); !sent) return sent;
      auto links = links_within(scope, cid, *block);
      if (!links) return fail(links.error().within(cid.to_string()));
      stack.insert(stack.end(), std::make_move_iterator(links->rbegin()),
                   std::make_move_iterator(links->rend()));
    }
    return {};
  }

  Status one(const Cid& cid) {
    const auto block = sync::read_block(source_, cid);
    if (!block) return fail(block.error());
    return send(cid, *block);
  }

 private:
  Status send(const Cid& cid, ByteView block) {
    if (cid.is_identity() || !sent_.insert(sync::block_key(cid)).second) return {};
    return visit_(cid, block);
  }

  BlockSource& source_;
  const OnBlock& visit_;
  std::set<Cid> seen_;
  std::set<Bytes> sent_;
};

}  // namespace

Status visit_scope(BlockSource& source, const Cid& root, std::string_view path, DagScope scope,
                   const OnBlock& visit) {
  Visit walk(source, visit);
  Cid target = root;
  if (!path.empty() && path != "/") {
    ReadBlocks on_the_way(source);
    auto resolved = sync::resolve_path(on_the_way, root, path);
    if (!resolved) return fail(resolved.error());
    target = std::move(*resolved);
    for (const Cid& cid : on_the_way.read()) {
      if (Status sent = walk.one(cid); !sent) return sent;
    }
  }
  return walk.below(target, scope);
}

Status check_whole(BlockSource& source, const Cid& root) {
  return visit_scope(source, root, "", DagScope::all,
                     [](const Cid&, ByteView) { return Status{}; });
}

Error block_missing(const Cid& cid) {
  return {Errc::not_found,
          "block was not found locally (offline): ipld: could not find " + cid.to_string()};
}

}  // namespace ipnscast::bridge
