#include "ipnscast/sync/cache/block_cache.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/fetch/arriving_blocks.h"
#include "ipnscast/sync/fetch/plan.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::BlockTable;

namespace {

struct Directory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("ipnscast-cache-" + to_hex(random_bytes(8)));
  ~Directory() { std::filesystem::remove_all(path); }
};

void put_all(BlockCache& cache, BlockTable& table) {
  for (const auto& [cid, block] : table.blocks())
    REQUIRE(cache.put(*Cid::parse(cid), as_bytes(block)));
}

// As a fetch does: a link comes before what it links to.
void put_top_down(BlockCache& cache, BlockTable& table, const Cid& cid) {
  const std::string& block = *table.find(cid.to_string());
  REQUIRE(cache.put(cid, as_bytes(block)));
  const auto links = *block_links(cid, as_bytes(block));
  for (const Cid& link : links) put_top_down(cache, table, link);
}

bool has_all(BlockCache& cache, BlockTable& table) {
  for (const auto& [cid, block] : table.blocks()) {
    if (!cache.has(*Cid::parse(cid))) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a block is there after a restart, under both CID versions, and a lie never gets in") {
  Directory directory;
  BlockTable table;
  const Cid cid = table.add_raw("hello");
  {
    auto cache = *BlockCache::open(directory.path);
    CHECK(cache->put(cid, as_bytes("hallo")).error().code == Errc::signature);
    CHECK_FALSE(cache->has(cid));
    REQUIRE(cache->put(cid, as_bytes("hello")));
    REQUIRE(cache->put(cid, as_bytes("hello")));
    CHECK(cache->stats().bytes == 5);
  }
  auto cache = *BlockCache::open(directory.path);
  CHECK(cache->stats().bytes == 5);
  CHECK(as_text(**cache->get(cid)) == "hello");
  Cid other_codec = cid;
  other_codec.codec = static_cast<uint64_t>(Codec::dag_pb);
  CHECK(cache->has(other_codec));
  CHECK_FALSE(*cache->get(table.add_raw("absent")));
}

TEST_CASE("a block that the disk damaged counts as absent") {
  Directory directory;
  BlockTable table;
  const Cid cid = table.add_raw("hello");
  {
    auto cache = *BlockCache::open(directory.path);
    REQUIRE(cache->put(cid, as_bytes("hello")));
  }
  {
    auto database = *store::Database::open(directory.path / "blocks.sqlite", {});
    REQUIRE(database->execute("UPDATE blocks SET bytes = x'00'"));
  }
  auto cache = *BlockCache::open(directory.path);
  CHECK_FALSE(*cache->get(cid));
  CHECK_FALSE(cache->has(cid));
}

TEST_CASE("a large block is a file, which is checked, and goes with its row") {
  Directory directory;
  BlockTable table;
  const std::string large(100'000, 'x');
  const Cid cid = table.add_raw(large);
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(directory.path / "large"), {});
  };
  {
    auto cache = *BlockCache::open(directory.path);
    REQUIRE(cache->put(cid, as_bytes(large)));
    REQUIRE(cache->put(cid, as_bytes(large)));
    CHECK(cache->stats().bytes == large.size());
    CHECK(files() == 1);
  }
  const auto file = std::filesystem::directory_iterator(directory.path / "large")->path();
  {
    auto cache = *BlockCache::open(directory.path, {.max_bytes = 150'000});
    CHECK(as_text(**cache->get(cid)) == large);
    CHECK(cache->stats().bytes == large.size());
    const std::string other(90'000, 'y');
    REQUIRE(cache->put(table.add_raw(other), as_bytes(other)));
    CHECK_FALSE(cache->has(cid));
    CHECK_FALSE(*cache->get(cid));
    CHECK(files() == 1);
    REQUIRE(cache->put(cid, as_bytes(large)));
  }
  SECTION("altered on disk") {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path / "large")) {
      std::fstream(entry.path(), std::ios::in | std::ios::out) << "z";
    }
    auto cache = *BlockCache::open(directory.path);
    CHECK_FALSE(*cache->get(cid));
    CHECK_FALSE(cache->has(cid));
    CHECK(cache->stats().bytes == 0);
    CHECK(files() == 0);
  }
  SECTION("gone") {
    std::filesystem::remove_all(directory.path / "large");
    auto cache = *BlockCache::open(directory.path);
    CHECK_FALSE(*cache->get(cid));
    REQUIRE(cache->put(cid, as_bytes(large)));
    CHECK(as_text(**cache->get(cid)) == large);
  }
  SECTION("left by a process that was killed before its row was committed") {
    std::ofstream(directory.path / "large" / "4711") << "half of a";
    auto cache = *BlockCache::open(directory.path);
    CHECK(files() == 1);
    CHECK(as_text(**cache->get(cid)) == large);
  }
}

TEST_CASE("what was got a moment ago comes from memory, within a bound") {
  Directory directory;
  BlockTable table;
  auto cache = *BlockCache::open(directory.path, {.memory_bytes = 10'000});
  std::vector<Cid> cids;
  for (int i = 0; i < 10; ++i) {
    const std::string bytes = std::string(1'900, 'a') + std::to_string(i);
    cids.push_back(table.add_raw(bytes));
    REQUIRE(cache->put(cids.back(), as_bytes(bytes)));
  }
  REQUIRE(*cache->get(cids.back()));
  CHECK(cache->stats().memory_hits == 1);
  REQUIRE(*cache->get(cids.front()));
  CHECK(cache->stats().memory_hits == 1);
  REQUIRE(*cache->get(cids.front()));
  CHECK(cache->stats().memory_hits == 2);
  CHECK(cache->stats().hits == 3);
}

TEST_CASE("a batch is kept when it ends, and can be read before") {
  Directory directory;
  BlockTable table;
  const Cid root = table.add_tree(30, 500, 1);
  {
    auto cache = *BlockCache::open(directory.path, {.memory_bytes = 0});
    {
      BlockCache::Batch batch(*cache);
      put_all(*cache, table);
      CHECK(has_all(*cache, table));
      CHECK(*cache->get(root));
      REQUIRE(cache->keep("name", root));
      CHECK(batch.commit());
    }
    BlockCache::Batch empty(*cache);
    CHECK(empty.commit());
  }
  auto cache = *BlockCache::open(directory.path);
  CHECK(has_all(*cache, table));
  CHECK(cache->versions("name") == std::vector{root});
}

TEST_CASE("a reader waits for blocks that are still to come, and no longer than they may come") {
  Directory directory;
  BlockTable table;
  auto cache = *BlockCache::open(directory.path);
  ArrivingBlocks arriving(*cache);
  std::vector<Cid> cids;
  for (int i = 0; i < 200; ++i) cids.push_back(table.add_raw(std::to_string(i)));
  bool stored = true;
  std::thread fetch([&] {
    for (const Cid& cid : cids) {
      stored = cache->put(cid, as_bytes(*table.find(cid.to_string()))) && stored;
      arriving.arrived(FetchPlan::key(cid));
    }
    arriving.end();
  });
  for (auto it = cids.rbegin(); it != cids.rend(); ++it) CHECK(*arriving.get(*it));
  CHECK_FALSE(*arriving.get(table.add_raw("never")));
  fetch.join();
  CHECK(stored);
}

TEST_CASE(
    "the cache stays within its bound, and the current version of a name stays whole (S1-32, "
    "R31)") {
  Directory directory;
  auto cache = *BlockCache::open(directory.path, {.max_bytes = 100'000, .versions = 5});
  BlockTable current;
  const Cid root = current.add_tree(3, 2'000, 1);
  put_all(*cache, current);
  REQUIRE(cache->keep("name", root));
  for (int i = 0; i < 200; ++i) {
    BlockTable other;
    other.add_raw(std::string(2'000, 'a') + std::to_string(i));
    put_all(*cache, other);
    REQUIRE(cache->stats().bytes <= 100'000);
  }
  CHECK(has_all(*cache, current));
  CHECK(cache->stats().evicted > 100);
}

TEST_CASE(
    "old versions are kept while they fit and given up before the bound is, the oldest first") {
  Directory directory;
  auto cache = *BlockCache::open(directory.path, {.max_bytes = 100'000, .versions = 5});
  std::vector<BlockTable> versions(12);
  std::vector<Cid> roots;
  for (int i = 0; i < 12; ++i) {
    roots.push_back(versions[static_cast<size_t>(i)].add_tree(3, 3'000, i));
    const BlockCache::Hold hold(*cache, roots.back());
    put_top_down(*cache, versions[static_cast<size_t>(i)], roots.back());
    REQUIRE(cache->keep("name", roots.back()));
  }
  CHECK(cache->stats().bytes <= 100'000);
  CHECK(has_all(*cache, versions[11]));
  CHECK_FALSE(has_all(*cache, versions[0]));
  const auto kept = cache->versions("name");
  REQUIRE(kept.size() == 6);
  CHECK(kept.front() == roots[11]);
  CHECK(kept.back() == roots[6]);
}

TEST_CASE("what is held while it is fetched is not evicted, even beyond the bound") {
  Directory directory;
  auto cache = *BlockCache::open(directory.path, {.max_bytes = 10'000});
  BlockTable table;
  const Cid root = table.add_tree(4, 2'000, 1);
  {
    const BlockCache::Hold hold(*cache, root);
    REQUIRE(cache->put(root, as_bytes(*table.find(root.to_string()))));
    for (const auto& [cid, block] : table.blocks()) {
      if (block.find("1/") != 0) REQUIRE(cache->put(*Cid::parse(cid), as_bytes(block)));
    }
    put_all(*cache, table);
    CHECK(has_all(*cache, table));
  }
  BlockTable other;
  other.add_raw("one more");
  put_all(*cache, other);
  CHECK(cache->stats().bytes <= 10'000);
}

TEST_CASE(
    "content that is larger than the whole cache is fetched whole, and makes room when it has been "
    "read (A9)") {
  Directory directory;
  BlockTable table;
  const Cid root = table.add_tree(20, 5'000, 1);
  BlockCacheOptions options;
  options.max_bytes = 10'000;
  auto cache = *BlockCache::open(directory.path, options);
  auto read_by_two = std::make_unique<const BlockCache::Hold>(*cache, root);
  {
    const BlockCache::Hold hold(*cache, root);
    put_top_down(*cache, table, root);
  }
  CHECK(has_all(*cache, table));
  CHECK(cache->stats().evicted == 0);

  SECTION("as soon as the last reader is through") {}
  SECTION("also when something else comes that nobody holds") {
    for (int i = 0; i < 20; ++i) {
      const std::string block = std::to_string(i) + std::string(500, 'x');
      REQUIRE(cache->put(table.add_raw(block), as_bytes(block)));
    }
    CHECK(cache->stats().evicted > 0);
  }
  read_by_two.reset();
  CHECK(cache->stats().bytes <= options.max_bytes);
}
