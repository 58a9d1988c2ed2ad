#include "ipnscast/sync/ipfs/unixfs/dag_measure.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/bombs.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using test::MemoryBlocks;
namespace fs = std::filesystem;

namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
// As a fetch has it when nothing is set.
const UnpackOptions kDefaults{.limits = {.max_bytes = 4 * kGiB}};

size_t count(const fs::path& folder) {
  const fs::directory_iterator all(folder);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// What refusing it said; nothing stays on disk. Without a bound these would run for hours.
Error refusal(BlockSource& blocks, const Cid& root, const UnpackOptions& options = kDefaults) {
  const test::TempDir temp;
  const auto done = unpack(blocks, root, temp.path() / "out", options);
  CHECK(count(temp.path()) == 0);
  if (done) FAIL("it was written");
  INFO(done.error().message);
  return done.error();
}

}  // namespace

TEST_CASE(
    "R40 a directory in a directory, over and over, is refused before it fills the disk (D2)") {
  for (const size_t width : {2, 200}) {
    INFO(width);
    MemoryBlocks blocks;
    const Cid root = test::repeated_directories(blocks, 24, width, test::raw_leaf(blocks, "x"));
    CHECK(refusal(blocks, root).code == Errc::too_large);
    // It was seen to be one without being written: the bound is four million.
    CHECK(blocks.gets < 10'000);
  }
}

TEST_CASE("R40 a file of one leaf over and over is refused, however small its leaf is (D1, D2)") {
  MemoryBlocks blocks;
  const auto huge = test::repeated_file(blocks, 4, 1'000, 1 << 20);
  CHECK(refusal(blocks, huge.cid).code == Errc::too_large);
  CHECK(blocks.gets < 10);
  // 1 GB is within the bound on bytes; a thousand million parts are not within that on visits.
  const auto tiny = test::repeated_file(blocks, 3, 1'000, 1);
  CHECK(refusal(blocks, tiny.cid).code == Errc::too_large);
  CHECK(blocks.gets < 10'000);
  const auto ranged = UnpackOptions{.bytes = *ByteRange::parse("0:*"), .limits = kDefaults.limits};
  CHECK(refusal(blocks, tiny.cid, ranged).code == Errc::too_large);
  for (const size_t width : {3'000, 20'000}) {  // nine million visits for 3,000 bytes, and more
    const auto empty = test::empty_leaves(blocks, width);
    CHECK(empty.size == width);
    CHECK(refusal(blocks, empty.cid).code == Errc::too_large);
  }
}

TEST_CASE("R40 max_bytes counts what is written, as often as it is linked (D1)") {
  MemoryBlocks blocks;
  const Cid leaf = test::raw_leaf(blocks, std::string(1 << 20, 'x'));
  const UnpackOptions options{.limits = {.max_bytes = 300 << 20}};
  const Cid honest = test::copies(blocks, leaf, 3'000, 1 << 20);
  blocks.gets = 0;
  const Error said = refusal(blocks, honest, options);
  CHECK(said.code == Errc::too_large);
  CHECK(said.message.find("300.0 MiB (max_bytes)") != said.message.npos);
  CHECK(blocks.gets < 10);  // the directory said how much it is
  const Cid lying = test::copies(blocks, leaf, 3'000, 0);
  blocks.gets = 0;
  CHECK(refusal(blocks, lying, options).code == Errc::too_large);
  CHECK(blocks.gets < 100);  // 32 MiB of repeats, then it was measured
  const test::TempDir temp;
  const Cid fits = test::copies(blocks, leaf, 300, 1 << 20);
  const auto done = unpack(blocks, fits, temp.path() / "out", options);
  REQUIRE(done);
  CHECK(done->bytes == 300 << 20);
  CHECK(refusal(blocks, test::copies(blocks, leaf, 301, 0), options).code == Errc::too_large);
}

TEST_CASE("R40 max_bytes is for content: what directories of tiny files weigh does not count") {
  MemoryBlocks blocks;
  const Cid leaf = test::raw_leaf(blocks, std::string(20, 'x'));
  const UnpackOptions options{.limits = {.max_bytes = 80 << 20}};
  // As heavy as if there were a million in shards.
  const Cid part = test::copies(blocks, leaf, 1'000, 100'000);
  const Cid tiny = test::copies(blocks, part, 3, 100'000'000);
  const test::TempDir temp;
  const auto done = unpack(blocks, tiny, temp.path() / "out", options);
  if (!done) FAIL(done.error().message);
  CHECK(done->bytes == 60'000);
  // What no directories can weigh is refused at once, and the rest when it was measured.
  const Cid huge = test::copies(blocks, leaf, 1'000, 4'000'000'000'000);
  blocks.gets = 0;
  CHECK(refusal(blocks, huge, options).code == Errc::too_large);
  CHECK(blocks.gets == 2);
  const Cid large = test::raw_leaf(blocks, std::string(1 << 20, 'x'));
  const Cid wide = test::copies(blocks, large, 100, 1 << 20);
  blocks.gets = 0;
  CHECK(refusal(blocks, wide, options).code == Errc::too_large);
  CHECK(blocks.gets < 10);
}

TEST_CASE("R40 measuring reads no more of a directory than it takes to be too much") {
  MemoryBlocks blocks;
  const Cid root = test::distinct_files(blocks, 100, 1'000);
  blocks.gets = 0;
  const auto totals = measure_tree(blocks, root, {.max_bytes = 10'000});
  REQUIRE_FALSE(totals);
  CHECK(totals.error().code == Errc::too_large);
  CHECK(blocks.gets < 15);
}

TEST_CASE("R40 a bound on entries holds for directories of empty entries") {
  MemoryBlocks blocks;
  const Cid nothing = test::raw_leaf(blocks, "");
  const Cid wide = test::copies(blocks, nothing, 20'000, 0);
  UnpackOptions options = kDefaults;
  options.limits.max_entries = 500;
  CHECK(refusal(blocks, wide, options).code == Errc::too_large);
  const Cid million = test::copies(blocks, wide, 1'000, 0);
  CHECK(refusal(blocks, million).code == Errc::too_large);  // twenty of them
}

TEST_CASE(
    "R40 huge directories within one another are refused before their links fill memory (D3)") {
  MemoryBlocks blocks;
  const Cid nowhere = *make_cid(Codec::raw, as_bytes("nowhere"));
  Cid below = test::raw_leaf(blocks, "at the end");
  for (int level = 0; level < 20; ++level) {
    PbNode node{{{below, "0", 0}}, encode_unixfs({.type = UnixfsType::directory})};
    for (int i = 0; i < 40'000; ++i) node.links.push_back({nowhere, "x" + std::to_string(i), 0});
    below = blocks.add(Codec::dag_pb, encode_dag_pb(node));
  }
  blocks.gets = 0;
  CHECK(refusal(blocks, below).code == Errc::too_large);
  CHECK(blocks.gets < 6);
}

TEST_CASE("R40 trees that are large and honest are within the bounds") {
  MemoryBlocks blocks;
  const Cid leaf = test::raw_leaf(blocks, "x");
  const DagLimits limits{.max_bytes = 4 * kGiB};
  // A million files, in directories that are all the same.
  const Cid tree = test::copies(blocks, test::copies(blocks, leaf, 1'000, 1), 1'000, 0);
  const auto files = measure_tree(blocks, tree, limits);
  REQUIRE(files);
  CHECK(files->entries == 1'001'001);
  CHECK(files->bytes == 1'000'000);
  CHECK(DagBudget(limits).expect(*files));
  // 50 GB in parts of 256 KiB.
  const auto large = test::repeated_file(blocks, 3, 60, 256 << 10);
  const auto film = measure_tree(blocks, large.cid, DagLimits{});
  REQUIRE(film);
  CHECK(film->bytes > 50'000'000'000);
  CHECK(DagBudget(DagLimits{}).expect(*film));
  // More repeats than go without a look.
  const test::TempDir temp;
  const auto done = unpack(blocks, test::copies(blocks, leaf, 1'000, 1), temp.path() / "out");
  REQUIRE(done);
  CHECK(done->files == 1'000);
}

TEST_CASE("what is measured is what is written") {
  MemoryBlocks blocks;
  const auto file = test::repeated_file(blocks, 2, 5, 100);
  const Cid root = test::repeated_directories(blocks, 3, 3, file.cid);
  const auto totals = measure_tree(blocks, root, {});
  REQUIRE(totals);
  const test::TempDir temp;
  const auto done = unpack(blocks, root, temp.path() / "out");
  REQUIRE(done);
  CHECK(totals->bytes == done->bytes);
  CHECK(totals->entries == done->files + done->directories);
  CHECK(totals->visits == 13 + 27 + 27 * (1 + 5 + 25));
}

TEST_CASE("R40 chains, long names and shards that lead into themselves are refused") {
  MemoryBlocks blocks;
  CHECK(refusal(blocks, test::deep_chain(blocks, 300, "d")).code == Errc::too_large);
  // Within the depth, beyond what a path may have.
  CHECK(refusal(blocks, test::deep_chain(blocks, 200, std::string(200, 'd'))).code ==
        Errc::too_large);
  const Error long_name = refusal(blocks, test::deep_chain(blocks, 1, std::string(1 << 20, 'n')));
  CHECK(long_name.code == Errc::refused);
  CHECK(long_name.message.size() < 300);
  for (const size_t levels : {2, 7}) {
    blocks.gets = 0;
    CHECK(refusal(blocks, test::repeated_shards(blocks, levels)).code == Errc::parse);
    CHECK(blocks.gets < 100);
  }
}

TEST_CASE("a deadline ends an unpacking, and what was written is nobody's to remove by hand") {
  MemoryBlocks blocks;
  // More than a million directories.
  const Cid root = test::repeated_directories(blocks, 19, 2, test::raw_leaf(blocks, ""));
  const test::TempDir temp;
  UnpackOptions options;
  options.limits.max_entries = options.limits.max_visits = uint64_t{1} << 40;
  options.limits.deadline = std::chrono::steady_clock::now() + Milliseconds(500);
  const auto done = unpack(blocks, root, temp.path() / "out", options);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::timeout);
  remove_abandoned(*Folder::open(temp.path()), std::chrono::minutes(5));
  CHECK(count(temp.path()) == 0);
  options.limits.deadline = std::chrono::steady_clock::now();
  CHECK(unpack(blocks, root, temp.path() / "out", options).error().code == Errc::timeout);
}

TEST_CASE("whoever stops a walk is heard at the next block") {
  MemoryBlocks blocks;
  const Cid root = test::deep_chain(blocks, 20, "d");
  size_t asked = 0;
  DagBudget budget({.stopped = [&] { return ++asked > 5; }});
  std::string path;
  for (int i = 0; i < 20; ++i) path += "/d";
  const auto found = resolve_path(budget, blocks, root, path);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::cancelled);
  CHECK(blocks.gets == 5);
}
