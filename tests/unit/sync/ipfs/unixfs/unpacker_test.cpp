#include "ipnscast/sync/ipfs/unixfs/unpacker.h"

#include <fstream>

#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/sync/ipfs/unixfs/workspace.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;
namespace fs = std::filesystem;

namespace {

Cid directory(test::MemoryBlocks& blocks, const std::vector<std::pair<std::string, Cid>>& entries) {
  PbNode node;
  for (const auto& [name, cid] : entries) node.links.push_back({cid, name, 1});
  node.data = encode_unixfs({.type = UnixfsType::directory});
  return blocks.add(Codec::dag_pb, encode_dag_pb(node));
}

Cid symlink_to(test::MemoryBlocks& blocks, std::string_view target) {
  UnixfsData data{.type = UnixfsType::symlink};
  data.data = to_bytes(target);
  return blocks.add(Codec::dag_pb, encode_dag_pb({{}, encode_unixfs(data)}));
}

Cid file(test::MemoryBlocks& blocks, const std::vector<std::pair<Cid, uint64_t>>& parts,
         uint64_t size) {
  PbNode node;
  UnixfsData data{.type = UnixfsType::file};
  for (const auto& [cid, part] : parts) {
    node.links.push_back({cid, std::string(), part});
    data.blocksizes.push_back(part);
  }
  data.filesize = size;
  node.data = encode_unixfs(data);
  return blocks.add(Codec::dag_pb, encode_dag_pb(node));
}

// The only thing in `folder` is what was there before.
bool is_untouched(const fs::path& folder, size_t expected) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count == expected;
}

void check_refused(test::MemoryBlocks& blocks, const Cid& root, Errc code,
                   UnpackOptions options = {}) {
  const test::TempDir temp;
  const auto result = unpack(blocks, root, temp.path() / "out", options);
  REQUIRE_FALSE(result);
  INFO(result.error().message);
  CHECK(result.error().code == code);
  CHECK(is_untouched(temp.path(), 0));
}

}  // namespace

TEST_CASE("what was packed is unpacked byte for byte") {
  const test::TempDir temp;
  const fs::path in = temp.path() / "in";
  fs::create_directories(in / "a/b/empty");
  const std::string large(700'000, 'x');
  std::ofstream(in / "a/large") << large;
  std::ofstream(in / "a/b/none");
  std::ofstream(in / std::string("odd \xff\\name\n")) << "odd";
  fs::create_symlink("b/none", in / "a/link");
  test::MemoryBlocks blocks;
  const auto packed = pack_path(in, {}, blocks);
  REQUIRE(packed);
  const auto out = unpack(blocks, packed->root, temp.path() / "out/", {.symlinks = true});
  REQUIRE(out);
  CHECK(out->files == 3);
  CHECK(out->symlinks == 1);
  CHECK(out->bytes == packed->bytes);
  CHECK(test::read_file(temp.path() / "out/a/large") == large);
  CHECK(fs::read_symlink(temp.path() / "out/a/link") == "b/none");
  CHECK(fs::is_directory(temp.path() / "out/a/b/empty"));
  CHECK(pack_path(temp.path() / "out", {}, blocks)->root == packed->root);
  CHECK(is_untouched(temp.path(), 2));
}

TEST_CASE("a file root becomes the target, or a named file in a new directory") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid root = blocks.add(Codec::raw, as_bytes("content"));
  REQUIRE(unpack(blocks, root, temp.path() / "f"));
  CHECK(test::read_file(temp.path() / "f") == "content");
  REQUIRE(unpack(blocks, root, temp.path() / "d", {.file_name = root.to_string()}));
  CHECK(test::read_file(temp.path() / "d" / root.to_string()) == "content");
  REQUIRE(unpack(blocks, *Cid::parse("bafkqaddwgevxmmraojswg33smq"), temp.path() / "identity"));
  CHECK(test::read_file(temp.path() / "identity") == "v1+v2 record");
}

TEST_CASE(
    "an occupied target is left alone unless it may be replaced, and then changes in one step") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("new"));
  const Cid root = directory(blocks, {{"file", leaf}});
  const fs::path target = temp.path() / "out";
  fs::create_directories(target);
  REQUIRE(unpack(blocks, root, target));  // an empty directory is as good as none
  std::ofstream(target / "mine") << "old";
  CHECK(unpack(blocks, root, target).error().code == Errc::conflict);
  CHECK(test::read_file(target / "mine") == "old");
  CHECK(unpack(blocks, leaf, target / "mine").error().code == Errc::conflict);
  fs::permissions(target, fs::perms::owner_all);
  REQUIRE(unpack(blocks, root, target, {.replace = true}));
  CHECK_FALSE(fs::exists(target / "mine"));
  CHECK(fs::status(target).permissions() == fs::perms::owner_all);
  CHECK(test::read_file(target / "file") == "new");
  CHECK(is_untouched(temp.path(), 1));
  REQUIRE(unpack(blocks, root, temp.path() / "absent", {.replace = true}));
  CHECK(unpack(blocks, root, temp.path() / "no/such/place").error().code == Errc::io);
}

TEST_CASE("a failure leaves a target that was to be replaced as it was") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid missing = *make_cid(Codec::raw, as_bytes("missing"));
  const Cid root =
      directory(blocks, {{"a", blocks.add(Codec::raw, as_bytes("here"))}, {"b", missing}});
  const fs::path target = temp.path() / "out";
  fs::create_directories(target);
  std::ofstream(target / "mine") << "old";
  CHECK(unpack(blocks, root, target, {.replace = true}).error().code == Errc::not_found);
  CHECK(test::read_file(target / "mine") == "old");
  CHECK(is_untouched(temp.path(), 1));
}

TEST_CASE("names that would leave the target are refused and nothing stays behind") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("evil"));
  for (const std::string& name :
       {std::string(".."), std::string("."), std::string(""), std::string("/etc/x"),
        std::string("../x"), std::string("a/b"), std::string("a\0b", 3)}) {
    INFO(name);
    check_refused(blocks, directory(blocks, {{"ok", leaf}, {name, leaf}}), Errc::refused);
    check_refused(blocks, directory(blocks, {{"sub", directory(blocks, {{name, leaf}})}}),
                  Errc::refused);
  }
}

TEST_CASE("symbolic links are made only when asked for and only inside") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  for (const auto* target : {"/etc/passwd", "..", "../x", "a/../../x", "./../x", "a/..", ""}) {
    INFO(target);
    check_refused(blocks, directory(blocks, {{"link", symlink_to(blocks, target)}}), Errc::refused,
                  {.symlinks = true});
  }
  // Each looks inside when read as text; together, followed on disk, they would climb out.
  const Cid climbing = directory(
      blocks, {{"up", symlink_to(blocks, "../..")}, {"out", symlink_to(blocks, "up/../../x")}});
  check_refused(blocks, directory(blocks, {{"a", directory(blocks, {{"b", climbing}})}}),
                Errc::refused, {.symlinks = true});
  const Cid good = directory(
      blocks,
      {{"d", directory(blocks, {{"link", symlink_to(blocks, "../file")}})}, {"file", leaf}});
  check_refused(blocks, good, Errc::refused);
  check_refused(blocks, symlink_to(blocks, "x"), Errc::refused, {.symlinks = true});
  const test::TempDir temp;
  REQUIRE(unpack(blocks, good, temp.path() / "out", {.symlinks = true}));
  CHECK(test::read_file(temp.path() / "out/d/link") == "x");
}

TEST_CASE("where a file is wanted, a directory or a link is refused before anything is written") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  check_refused(blocks, directory(blocks, {{"a", leaf}}), Errc::invalid, {.file_only = true});
  check_refused(blocks, symlink_to(blocks, "x"), Errc::invalid,
                {.symlinks = true, .file_only = true});
  const test::TempDir temp;
  REQUIRE(unpack(blocks, leaf, temp.path() / "out", {.file_only = true}));
  CHECK(test::read_file(temp.path() / "out") == "x");
}

TEST_CASE("a second entry of the same name cannot write through a link made before") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  const Cid root =
      directory(blocks, {{"a", symlink_to(blocks, ".")}, {"a", directory(blocks, {{"y", leaf}})}});
  REQUIRE(unpack(blocks, root, temp.path() / "out", {.symlinks = true}));
  CHECK(fs::is_symlink(temp.path() / "out/a"));
  CHECK_FALSE(fs::exists(temp.path() / "out/y"));
}

TEST_CASE("files whose parts do not add up are refused") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("12345"));
  check_refused(blocks, file(blocks, {{leaf, 5}}, 6), Errc::parse);
  check_refused(blocks, file(blocks, {{leaf, 4}}, 4), Errc::parse);
  check_refused(blocks, file(blocks, {{leaf, 5}, {leaf, ~uint64_t{0}}}, 4), Errc::parse);
  check_refused(blocks, file(blocks, {{directory(blocks, {}), 0}}, 0), Errc::parse);
  check_refused(blocks, file(blocks, {{file(blocks, {{leaf, 5}}, 5), 4}}, 4), Errc::parse);
  UnixfsData short_of{.type = UnixfsType::file};
  check_refused(blocks,
                blocks.add(Codec::dag_pb,
                           encode_dag_pb({{{leaf, std::string(), 5}}, encode_unixfs(short_of)})),
                Errc::parse);
  const test::TempDir temp;
  REQUIRE(unpack(blocks, file(blocks, {{leaf, 5}, {leaf, 5}}, 10), temp.path() / "f"));
  CHECK(test::read_file(temp.path() / "f") == "1234512345");
}

TEST_CASE("small DAGs that stand for endless trees end early") {
  test::MemoryBlocks blocks;
  Cid node = blocks.add(Codec::raw, as_bytes("12345678"));
  uint64_t size = 8;
  for (int level = 0; level < 50; ++level) {
    node = file(blocks, {{node, size}, {node, size}}, 2 * size);
    size *= 2;
  }
  check_refused(blocks, node, Errc::too_large);
  node = blocks.add(Codec::raw, {});
  for (int level = 0; level < 60; ++level) node = file(blocks, {{node, 0}, {node, 0}}, 0);
  check_refused(blocks, node, Errc::parse);
  node = directory(blocks, {});
  for (int level = 0; level < 40; ++level) node = directory(blocks, {{"a", node}, {"b", node}});
  check_refused(blocks, node, Errc::too_large, {.limits = {.max_entries = 500}});
  for (int level = 0; level < 300; ++level) node = directory(blocks, {{"a", node}});
  check_refused(blocks, node, Errc::too_large);
  UnixfsData shard{.type = UnixfsType::hamt_shard};
  shard.hash_type = 0x22;
  shard.fanout = 8;
  node = blocks.add(Codec::dag_pb, encode_dag_pb({{}, encode_unixfs(shard)}));
  for (int level = 0; level < 20; ++level) {
    PbNode wide{{}, encode_unixfs(shard)};
    for (char slot = '0'; slot < '8'; ++slot) wide.links.push_back({node, std::string(1, slot), 1});
    node = blocks.add(Codec::dag_pb, encode_dag_pb(wide));
  }
  check_refused(blocks, node, Errc::parse);
}

TEST_CASE(
    "shards with a wild fanout, a foreign hash or misplaced names are refused (CVE-2023-23625)") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  const auto shard = [&](uint64_t hash_type, uint64_t fanout, const std::string& name) {
    UnixfsData data{.type = UnixfsType::hamt_shard};
    data.hash_type = hash_type;
    data.fanout = fanout;
    return blocks.add(Codec::dag_pb, encode_dag_pb({{{leaf, name, 1}}, encode_unixfs(data)}));
  };
  const test::TempDir temp;
  REQUIRE(unpack(blocks, shard(0x22, 256, "CBhello"), temp.path() / "good"));
  CHECK(fs::exists(temp.path() / "good/hello"));
  check_refused(blocks, shard(0x22, 256, "CChello"), Errc::parse);
  check_refused(blocks, shard(0x22, 256, "cbhello"), Errc::parse);
  check_refused(blocks, shard(0x22, 256, "C"), Errc::parse);
  check_refused(blocks, shard(0x22, 256, "CB"), Errc::parse);
  check_refused(blocks, shard(0x22, 2048, "CBhello"), Errc::parse);
  check_refused(blocks, shard(0x22, 255, "CBhello"), Errc::parse);
  check_refused(blocks, shard(0x22, 0, "CBhello"), Errc::parse);
  check_refused(blocks, shard(0x12, 256, "CBhello"), Errc::unsupported);
}

TEST_CASE("a block that is not its CID's is refused (R20)") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("true"));
  const Cid root = directory(blocks, {{"f", leaf}});
  blocks.blocks[block_key(leaf)] = to_bytes("lies");
  check_refused(blocks, root, Errc::signature);
  blocks.blocks[block_key(leaf)] = Bytes(kMaxBlockBytes + 1);
  check_refused(blocks, root, Errc::too_large);
  check_refused(blocks, blocks.add(static_cast<Codec>(0x78), Bytes{0xa0}), Errc::unsupported);
}

TEST_CASE("a path leads through directories to its entry") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  const Cid root = directory(blocks, {{"a", directory(blocks, {{"b c", leaf}})}});
  CHECK(*resolve_path(blocks, root, "") == root);
  CHECK(*resolve_path(blocks, root, "/") == root);
  CHECK(*resolve_path(blocks, root, "/a/b c") == leaf);
  CHECK(*resolve_path(blocks, root, "a//b c/") == leaf);
  CHECK(resolve_path(blocks, root, "/a/x").error().code == Errc::not_found);
  CHECK(resolve_path(blocks, root, "/a/b c/d").error().code == Errc::mismatch);
  // Steps that stay and steps back, as boxo takes them (F16).
  CHECK(*resolve_path(blocks, root, "./a/./b c/.") == leaf);
  CHECK(*resolve_path(blocks, root, "/x/../a/b c") == leaf);
  CHECK(*resolve_path(blocks, root, "/a/b c/../../a/b c") == leaf);
  CHECK(*resolve_path(blocks, root, "/a/..") == root);
  for (const auto* above : {"/..", "..", "/a/../..", "/../a/b c", "/a/../../a"}) {
    INFO(above);
    CHECK(resolve_path(blocks, root, above).error().code == Errc::mismatch);
  }
}

TEST_CASE("what a workspace holds when its time is over is left to the next one") {
  const test::TempDir temp;
  fs::path folder;
  {
    auto late = Workspace::make_beside(temp.path() / "out");
    REQUIRE(late);
    folder = late->folder().path();
    std::ofstream(late->content()) << "half";
    late->remove_by(std::chrono::steady_clock::now() - std::chrono::hours(1));
  }
  CHECK(fs::exists(folder / Workspace::kContent));
  REQUIRE(Workspace::make_beside(temp.path() / "out"));
  CHECK(is_untouched(temp.path(), 0));
}

TEST_CASE("what a killed process left beside a target is removed, what a living one builds stays") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid hello = blocks.add(Codec::raw, to_bytes("hello"));
  const fs::path left = temp.path() / ".ipnscast-0011223344556677.tmp";
  fs::create_directories(left / "content");
  std::ofstream(left / "content/half") << "of a file";
  const fs::path others = temp.path() / ".ipnscast-of-the-user.tmp";
  fs::create_directories(others);
  const auto living = Workspace::make_beside(temp.path() / "other");
  REQUIRE(living);
  CHECK_FALSE(fs::exists(left));
  std::ofstream(living->content()) << "still being written";
  REQUIRE(unpack(blocks, hello, temp.path() / "out"));
  CHECK(test::read_file(temp.path() / "out") == "hello");
  CHECK(fs::exists(living->content()));
  CHECK(fs::exists(others));
  CHECK(is_untouched(temp.path(), 3));
}
