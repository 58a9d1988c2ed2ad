#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

#include <set>

#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/unixfs/directory_packer.h"
#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using test::MemoryBlocks;

namespace {

constexpr PackProfile kSmall{1000, 4};  // deep trees out of little content

std::string numbered(size_t count) {
  std::string out;
  for (size_t i = 0; out.size() < count; ++i) out += std::to_string(i) + ",";
  out.resize(count);
  return out;
}

PackedEntry pack_text(const std::string& text, MemoryBlocks& blocks) {
  FilePacker packer(kSmall, blocks);
  REQUIRE(packer.write(as_bytes(text)));
  return *packer.finish();
}

std::string read(MemoryBlocks& blocks, const Cid& file, const ByteRange& range) {
  std::string out;
  const auto size = read_file_content(
      blocks, file, 1 << 20,
      [&](ByteView bytes) {
        out += as_text(bytes);
        return Status();
      },
      range);
  REQUIRE(size);
  CHECK(*size == out.size());
  return out;
}

// What a scope needs, and nothing else: a store of just these blocks.
MemoryBlocks only(MemoryBlocks& all, const Cid& root, const DagScope& scope) {
  MemoryBlocks out;
  const Status walked = bridge::visit_scope(
      all, root, scope, [&](const Cid& cid, ByteView block) { return out.put(cid, block); });
  if (!walked) FAIL(walked.error().message);
  return out;
}

// /dir/many/file-0042 among so many that the directory is sharded, twice over.
struct Tree {
  MemoryBlocks blocks;
  PackedEntry file = pack_text(numbered(100'000), blocks);
  Cid many, root;
  Tree() {
    std::vector<NamedEntry> entries;
    for (size_t i = 0; i < 8'000; ++i)
      entries.push_back({"file-" + std::to_string(10'000 + i), file});
    const PackedEntry shards = *pack_directory(std::move(entries), kKubo256k, blocks);
    many = shards.cid;
    const PackedEntry inner = *pack_directory({{"many", shards}}, kKubo256k, blocks);
    root =
        pack_directory({{"dir", inner}, {"other", pack_text("other", blocks)}}, kKubo256k, blocks)
            ->cid;
  }
};

}  // namespace

TEST_CASE("byte ranges are read as the trustless gateway protocol writes them") {
  struct Row {
    const char* text;
    uint64_t size, first, end;
  };
  for (const Row& row :
       {Row{"0:99", 1000, 0, 100}, Row{"100:*", 1000, 100, 1000}, Row{"-20:*", 1000, 980, 1000},
        Row{"-20:-11", 1000, 980, 990}, Row{"0:*", 0, 0, 0}, Row{"5:3", 1000, 5, 5},
        Row{"900:2000", 1000, 900, 1000}, Row{"2000:*", 1000, 1000, 1000},
        Row{"-2000:9", 1000, 0, 10}, Row{"-2000:-1500", 1000, 0, 0}, Row{"7", 1000, 7, 1000},
        Row{"0:9223372036854775807", 1000, 0, 1000}}) {
    INFO(row.text);
    const auto range = ByteRange::parse(row.text);
    REQUIRE(range);
    CHECK(range->within(row.size) == std::pair(row.first, row.end));
    CHECK(ByteRange::parse(range->to_string())->within(row.size) == range->within(row.size));
  }
  for (const char* bad : {"a", "1:b", "*", "1:2:3", "-9223372036854775808:*", " 1:2", "1-2"})
    CHECK_FALSE(ByteRange::parse(bad));
}

TEST_CASE("S1-18 a scope holds the blocks on the way and what is meant at its end, no more") {
  Tree tree;
  const std::string path = "/dir/many/file-10042";
  MemoryBlocks whole = only(tree.blocks, tree.root, {path, DagPart::all, {}});
  CHECK(*resolve_path(whole, tree.root, path) == tree.file.cid);
  CHECK(read(whole, tree.file.cid, {}) == numbered(100'000));
  // root, dir, two or three shards, then 100 leaves under nodes of four
  CHECK(whole.blocks.size() < 150);

  MemoryBlocks alone = only(tree.blocks, tree.root, {path, DagPart::block, {}});
  CHECK(alone.blocks.size() <= 6);
  MemoryBlocks listing = only(tree.blocks, tree.root, {"dir/many", DagPart::entity, {}});
  size_t names = 0;
  const auto shards = decode_node(tree.many, *read_block(listing, tree.many));
  REQUIRE(shards);
  REQUIRE(read_directory(listing, *shards, [&](const std::string&, const Cid&) {
    ++names;
    return Status();
  }));
  CHECK(names == 8'000);
  CHECK_FALSE(*listing.get(tree.file.cid));
}

TEST_CASE("of a file's bytes a scope holds the blocks that have them") {
  Tree tree;
  const std::string text = numbered(100'000);
  for (const char* range : {"0:0", "0:999", "999:1000", "50000:50999", "-1:*", "-1001:*", "99999:*",
                            "0:*", "200000:*"}) {
    INFO(range);
    const ByteRange bytes = *ByteRange::parse(range);
    MemoryBlocks part =
        only(tree.blocks, tree.root, {"dir/many/file-10007", DagPart::entity, bytes});
    const auto [first, end] = bytes.within(text.size());
    CHECK(read(part, tree.file.cid, bytes) == text.substr(first, end - first));
    if (end - first <= 1000) CHECK(part.blocks.size() <= 6 + 4 + 4);
  }
}

TEST_CASE("a path that leads nowhere says so, and where") {
  Tree tree;
  const auto error = [&](const char* path) {
    const auto found = resolve_path(tree.blocks, tree.root, path);
    REQUIRE_FALSE(found);
    return found.error();
  };
  CHECK(error("dir/none").code == Errc::not_found);
  CHECK(error("dir/none").message.find("none") != std::string::npos);
  CHECK(error("dir/many/file-99999").code == Errc::not_found);
  CHECK(error("other/below").code == Errc::mismatch);
  CHECK(error("dir/many/../none").code == Errc::not_found);  // a step back, as boxo has it
  std::string deep;
  for (int i = 0; i < 257; ++i) deep += "/a";
  CHECK(error(deep.c_str()).code == Errc::too_large);
}

TEST_CASE("a path goes through dag-cbor, within a block and out of it") {
  MemoryBlocks blocks;
  const Cid end = blocks.add(Codec::raw, as_bytes("end"));
  const CborValue inner{CborMap{{"list", {CborList{{uint64_t{1}}, {end}}}}}};
  const CborValue outer{CborMap{{"a", inner}}};
  const Cid root = blocks.add(Codec::dag_cbor, encode_dag_cbor(outer));
  CHECK(*resolve_path(blocks, root, "a/list/1") == end);
  CHECK(resolve_path(blocks, root, "a/list").error().code == Errc::mismatch);
  CHECK(resolve_path(blocks, root, "a/list/0").error().code == Errc::mismatch);
  CHECK(resolve_path(blocks, root, "a/list/2").error().code == Errc::not_found);
}

TEST_CASE("S1-21 a file whose parts are one block over and over is not walked for ever") {
  MemoryBlocks blocks;
  Cid below = blocks.add(Codec::raw, as_bytes("x"));
  uint64_t size = 1;
  for (int level = 0; level < 8; ++level) {
    PbNode node;
    UnixfsData data{.type = UnixfsType::file};
    for (int i = 0; i < 100; ++i) {
      node.links.push_back({below, "", size});
      data.blocksizes.push_back(size);
    }
    size *= 100;
    data.filesize = size;
    node.data = encode_unixfs(data);
    below = blocks.add(Codec::dag_pb, encode_dag_pb(node));
  }
  const auto nothing = [](const Cid&, ByteView) { return Status(); };
  CHECK(bridge::visit_scope(blocks, below, {"", DagPart::all, {}}, nothing));  // nine blocks
  const Status parts =
      bridge::visit_scope(blocks, below, {"", DagPart::entity, *ByteRange::parse("1:-2")}, nothing);
  REQUIRE_FALSE(parts);
  CHECK(parts.error().code == Errc::too_large);
}
