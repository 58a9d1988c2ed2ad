#include "ipnscast/tools/watch/mirror.h"

#include <fstream>
#include <sstream>

#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}
std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

sync::IpnsName name_of(uint8_t seed) {
  return sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, seed))->name();
}

struct World {
  test::TempDir folder;
  test::TempDir state;
  test::MemoryBlocks blocks;
  fs::path mirror = folder.path() / "mirror";

  Result<Mirror> open(const fs::path& path, uint8_t name = 1) const {
    return Mirror::open(path, name_of(name), state.path());
  }

  sync::Cid pack(const fs::path& path) { return sync::pack_path(path, {}, blocks)->root; }
};

std::string value_of(const sync::Cid& cid) { return "/ipfs/" + cid.to_string(); }

TEST_CASE("two trees differ by what was added, changed and removed") {
  const test::TempDir folder;
  const fs::path before = folder.path() / "before";
  const fs::path after = folder.path() / "after";
  write(before / "same", "same");
  write(before / "size", "1");
  write(before / "text", "abc");
  write(before / "kind", "file");
  write(before / "gone/deep", "x");
  write(after / "same", "same");
  write(after / "size", "12");
  write(after / "text", "abd");
  write(after / "kind/inner", "directory");
  write(after / "new", "");
  fs::create_symlink("same", before / "link");
  fs::create_symlink("text", after / "link");
  const auto changes = compare_trees(before, after);
  REQUIRE(changes);
  CHECK(changes->added == std::vector<std::string>{"kind/inner", "new"});
  CHECK(changes->changed == std::vector<std::string>{"link", "size", "text"});
  CHECK(changes->removed == std::vector<std::string>{"gone/deep", "kind"});
  CHECK(*compare_trees(before, before) == TreeChanges{});
  CHECK(compare_trees(folder.path() / "absent", after)->added.size() == 6);
}

TEST_CASE("a mirror shows each value whole and knows its directory again") {
  World world;
  write(world.folder.path() / "one/a", "1");
  write(world.folder.path() / "two/b", "2");
  const auto one = world.pack(world.folder.path() / "one");
  const auto two = world.pack(world.folder.path() / "two");
  {
    auto mirror = world.open(world.mirror);
    REQUIRE(mirror);
    CHECK_FALSE(mirror->shown());
    REQUIRE(mirror->show(world.blocks, value_of(one), one));
    CHECK(read(world.mirror / "a") == "1");
  }
  CHECK(world.open(world.mirror, 2).error().code == Errc::conflict);
  auto mirror = world.open(world.mirror);
  REQUIRE(mirror);
  CHECK(mirror->shown() == value_of(one));
  const auto changes = mirror->show(world.blocks, value_of(two), two);
  REQUIRE(changes);
  CHECK(changes->added == std::vector<std::string>{"b"});
  CHECK(changes->removed == std::vector<std::string>{"a"});
  CHECK_FALSE(fs::exists(world.mirror / "a"));
}

TEST_CASE("content that is not whole leaves a mirror as it was") {
  World world;
  write(world.folder.path() / "one/a", "1");
  const auto one = world.pack(world.folder.path() / "one");
  auto mirror = world.open(world.mirror);
  REQUIRE(mirror->show(world.blocks, value_of(one), one));
  const auto absent = *sync::make_cid(sync::Codec::raw, Bytes{1, 2, 3});
  CHECK(mirror->show(world.blocks, value_of(absent), absent).error().code == Errc::not_found);
  CHECK(read(world.mirror / "a") == "1");
  CHECK(mirror->shown() == value_of(one));
  size_t left = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(world.folder.path())) ++left;
  CHECK(left == 2);  // the content and the mirror
}

TEST_CASE("a file is mirrored into the directory under its own name") {
  World world;
  write(world.folder.path() / "note.txt", "hello");
  const auto file = world.pack(world.folder.path() / "note.txt");
  auto mirror = world.open(world.mirror);
  REQUIRE(mirror->show(world.blocks, "/ipfs/bafkqaaa/sub/note.txt", file));
  CHECK(read(world.mirror / "note.txt") == "hello");
  REQUIRE(mirror->show(world.blocks, value_of(file), file));
  CHECK(read(world.mirror / file.to_string()) == "hello");
}

TEST_CASE("a directory that nobody mirrored into is refused, an empty one is taken") {
  World world;
  write(world.mirror / "precious", "mine");
  CHECK(world.open(world.mirror).error().code == Errc::conflict);
  fs::remove(world.mirror / "precious");
  CHECK(world.open(world.mirror / ""));
  write(world.folder.path() / "file", "mine");
  CHECK(world.open(world.folder.path() / "file").error().code == Errc::conflict);
}

}  // namespace
}  // namespace ipnscast::tools
