// What a cache keeps beside its bound: content that only this device may still have, and content
// that is being published.
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::BlockTable;

namespace {

constexpr uint64_t kBound = 20'000;

// About 6,500 bytes.
struct Content {
  explicit Content(int seed) : root(table.add_tree(2, 1'500, seed)) {}
  uint64_t bytes() {
    uint64_t sum = 0;
    for (const auto& [cid, block] : table.blocks()) sum += block.size();
    return sum;
  }
  void put(BlockSink& sink) {
    for (const auto& [cid, block] : table.blocks())
      REQUIRE(sink.put(*Cid::parse(cid), as_bytes(block)));
  }
  bool whole(BlockCache& cache) {
    for (const auto& [cid, block] : table.blocks()) {
      if (!cache.has(*Cid::parse(cid))) return false;
    }
    return true;
  }

  BlockTable table;
  const Cid root;
};

struct Place {
  test::TempDir directory;
  std::unique_ptr<BlockCache> cache =
      std::move(*BlockCache::open(directory.path(), {.max_bytes = kBound}));

  // Other things that are fetched: ten times of what may be there.
  void use() const {
    BlockTable other;
    for (int i = 0; i < 100; ++i) {
      const std::string bytes = std::to_string(i) + std::string(2'000, 'o');
      REQUIRE(cache->put(other.add_raw(bytes), as_bytes(bytes)));
    }
  }
};

}  // namespace

TEST_CASE("content that is kept apart stays, and takes no room from what else is cached") {
  const Place place;
  Content lost(1);
  Content queued(2);
  lost.put(*place.cache);
  queued.put(*place.cache);
  const uint64_t apart = lost.bytes() + queued.bytes();
  place.cache->set_kept({.apart = {lost.root, queued.root}});
  place.use();
  CHECK(lost.whole(*place.cache));
  CHECK(queued.whole(*place.cache));
  // All of the bound is there for the others.
  CHECK(place.cache->stats().bytes > apart + kBound * 8 / 10);
  CHECK(place.cache->stats().bytes <= apart + kBound);

  place.cache->set_kept({.apart = {queued.root}});
  place.use();
  CHECK_FALSE(lost.whole(*place.cache));
  CHECK(queued.whole(*place.cache));
  CHECK(place.cache->stats().bytes <= queued.bytes() + kBound);
}

TEST_CASE("content that is held stays, and counts as any other") {
  const Place place;
  Content current(1);
  current.put(*place.cache);
  place.cache->set_kept({.held = {current.root}});
  place.use();
  CHECK(current.whole(*place.cache));
  CHECK(place.cache->stats().bytes <= kBound);
}

TEST_CASE("what is perhaps lost is kept while there is room beside the rest") {
  const Place place;
  Content lost(1);
  Content perhaps(2);
  Content earlier(3);
  for (Content* const one : {&lost, &perhaps, &earlier}) one->put(*place.cache);
  BlockCache::Kept kept{.apart = {lost.root}, .yielding = {perhaps.root, earlier.root}};
  const auto holds = [&](uint64_t most) {
    kept.most = most;
    place.cache->set_kept(kept);
    place.use();
    return std::vector{lost.whole(*place.cache), perhaps.whole(*place.cache),
                       earlier.whole(*place.cache)};
  };
  const uint64_t two = lost.bytes() + perhaps.bytes();
  CHECK(holds(two + earlier.bytes()) == std::vector{true, true, true});
  CHECK(holds(two) == std::vector{true, true, false});
  CHECK(holds(two - 1) == std::vector{true, false, false});
  CHECK(holds(0) == std::vector{true, false, false});
}

TEST_CASE("the size of content is what is here of it, and what two have in common counts once") {
  const Place place;
  Content one(1);
  Content two(2);
  one.put(*place.cache);
  two.put(*place.cache);
  const std::vector<Cid> roots{one.root, two.root, one.root, BlockTable().add_raw("absent")};
  CHECK(place.cache->sizes(roots) == std::vector<uint64_t>{one.bytes(), two.bytes(), 0, 0});
}

TEST_CASE("a tree larger than the cache is published whole, beside what is cached already") {
  const Place place;
  Content cached(1);
  cached.put(*place.cache);
  BlockTable table;
  const Cid root = table.add_tree(5, 2'000, 2);
  const auto whole = [&] {
    for (const auto& [cid, block] : table.blocks()) {
      if (!place.cache->has(*Cid::parse(cid))) return false;
    }
    return true;
  };
  {
    BlockCache::Publishing publishing(*place.cache);
    for (const auto& [cid, block] : table.blocks())
      REQUIRE(publishing.put(*Cid::parse(cid), as_bytes(block)));
    CHECK(whole());
    CHECK(cached.whole(*place.cache));
    place.use();
    CHECK(whole());
    SECTION("then it is the current version") { REQUIRE(place.cache->keep("name", root)); }
    SECTION("then it is kept apart") { place.cache->set_kept({.apart = {root}}); }
  }
  place.use();
  CHECK(whole());
}

TEST_CASE("a publish that came to nothing leaves the cache within its bound") {
  const Place place;
  Content cached(1);
  {
    BlockCache::Publishing publishing(*place.cache);
    cached.put(publishing);  // is there before the next one
    Content(2).put(publishing);
    Content(3).put(publishing);
    Content(4).put(publishing);
    CHECK(place.cache->stats().bytes > kBound);
  }
  CHECK(place.cache->stats().bytes <= kBound);
}
