#include "ipnscast/sync/fetch/plan.h"

#include <map>
#include <random>

#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/ipld/hash_form.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/bombs.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using test::MemoryBlocks;

namespace {

struct Place {
  test::TempDir folder;
  std::unique_ptr<BlockCache> cache = std::move(*BlockCache::open(folder.path()));
};

SharedBlock shared(Bytes bytes) { return std::make_shared<const Bytes>(std::move(bytes)); }

// Nodes and leaves that link to one another at random, and to some of them many times.
Cid random_dag(MemoryBlocks& blocks, std::mt19937& rng) {
  std::vector<Cid> all;
  for (int i = 0; i < 60; ++i) all.push_back(test::raw_leaf(blocks, "leaf " + std::to_string(i)));
  for (int i = 0; i < 40; ++i) {
    PbNode node;
    for (size_t k = 0; k < 1 + rng() % 12; ++k)
      node.links.push_back({all[rng() % all.size()], {}, {}});
    all.push_back(blocks.add(Codec::dag_pb, encode_dag_pb(node)));
  }
  PbNode root;
  for (const Cid& cid : all) root.links.push_back({cid, {}, {}});
  return blocks.add(Codec::dag_pb, encode_dag_pb(root));
}

// Brings what the plan asks for, from `blocks`, until it is complete.
void bring_all(FetchPlan& plan, MemoryBlocks& blocks, std::mt19937& rng, size_t most) {
  std::vector<FetchPlan::Task> running;
  while (!plan.complete()) {
    CHECK(plan.missing() <= most);
    while (auto task = plan.next_task(2)) {
      running.push_back(*task);
      if (rng() % 2 == 0) break;
    }
    REQUIRE_FALSE(running.empty());
    const size_t at = rng() % running.size();
    const FetchPlan::Task task = running[at];
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    const auto offer = [&](const Cid& cid, ByteView block) -> Status {
      if (task.kind == FetchPlan::Kind::car && rng() % 8 == 0) return {};  // a hole
      const auto taken = plan.accept(task, cid, shared(to_bytes(block)));
      return taken ? Status{} : Status(fail(taken.error()));
    };
    if (task.kind == FetchPlan::Kind::raw) {
      REQUIRE(offer(task.cid, *read_block(blocks, task.cid)));
    } else {
      REQUIRE(walk_dag(blocks, task.cid, {}, offer));
    }
    plan.release(task, rng() % 2 == 0);
  }
}

}  // namespace

TEST_CASE("R40 a plan that may hold few open links brings every block all the same (D3)") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    std::mt19937 rng(seed);
    MemoryBlocks blocks;
    const Cid root = random_dag(blocks, rng);
    Place place;
    const size_t most = 1 + rng() % 20;
    FetchPlan plan(*place.cache, 1 << 20, rng() % 2 == 0, {}, {}, most);
    REQUIRE(plan.begin(root));
    bring_all(plan, blocks, rng, most);
    const auto walked = walk_dag(*place.cache, root);
    REQUIRE(walked);
    CHECK(walked->is_complete());
  }
}

TEST_CASE("R40 what a plan holds does not grow with what a DAG links to (D3)") {
  MemoryBlocks blocks;
  const Cid root = test::link_fan(blocks, 4, 20'000);
  Place place;
  const BlockCache::Batch batch(*place.cache);
  FetchPlan plan(*place.cache, 1 << 30, false);
  REQUIRE(plan.begin(root));
  const auto task = plan.next_task(1);
  REQUIRE(task);
  size_t brought = 0;
  REQUIRE(walk_dag(blocks, root, {}, [&](const Cid& cid, ByteView block) -> Status {
    const auto taken = plan.accept(*task, cid, shared(to_bytes(block)));
    if (!taken) return fail(taken.error());
    brought += taken->verdict == FetchPlan::Verdict::accepted ? 1 : 0;
    CHECK(plan.missing() <= FetchPlan::kMostWanted);
    return {};
  }));
  CHECK(brought == 5);  // the way down goes first
  CHECK(plan.missing() == FetchPlan::kMostWanted);
}

TEST_CASE("R40 links whose hashes nobody can check are refused when they are read (D3)") {
  for (const Multihash& hash :
       {Multihash{0x11, Bytes(20, 1)}, Multihash{0x12, Bytes(31, 1)}, Multihash{0x12, Bytes(64, 1)},
        Multihash{0x13, Bytes(32, 1)}, Multihash{0xb220, Bytes(8, 1)}, Multihash{0x7777, {}}}) {
    INFO(hash.code);
    CHECK(check_form(hash).error().code == Errc::unsupported);
    MemoryBlocks blocks;
    PbNode node;
    node.links.push_back({Cid{1, 0x55, hash}, {}, {}});
    const Bytes block = encode_dag_pb(node);
    const Cid root = blocks.add(Codec::dag_pb, block);
    Place place;
    FetchPlan plan(*place.cache, 1 << 20, false);
    REQUIRE(plan.begin(root));
    const auto taken = plan.accept(*plan.next_task(1), root, shared(block));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::unsupported);
  }
  CHECK(check_form({0x00, Bytes(128, 1)}));
  CHECK_FALSE(check_form({0x00, Bytes(129, 1)}));
  CHECK(check_form(make_cid(Codec::raw, as_bytes("x"), HashCode::sha2_512)->hash));
}

TEST_CASE("a plan goes down before it goes on, so that a reader gets the beginning first") {
  MemoryBlocks blocks;
  const Cid a = test::raw_leaf(blocks, "a");
  const Cid b = test::raw_leaf(blocks, "b");
  const Cid c = test::raw_leaf(blocks, "c");
  const Cid inner = blocks.add(Codec::dag_pb, encode_dag_pb({{{a, {}, {}}, {b, {}, {}}}, {}}));
  const Cid root = blocks.add(Codec::dag_pb, encode_dag_pb({{{inner, {}, {}}, {c, {}, {}}}, {}}));
  Place place;
  FetchPlan plan(*place.cache, 1 << 20, true);
  REQUIRE(plan.begin(root));
  std::vector<Cid> order;
  while (!plan.complete()) {
    const auto task = plan.next_task(1);
    REQUIRE(task);
    if (task->kind == FetchPlan::Kind::car) {  // nobody has streams
      plan.release(*task, true);
      continue;
    }
    order.push_back(task->cid);
    REQUIRE(plan.accept(*task, task->cid, shared(*read_block(blocks, task->cid))));
  }
  CHECK(order == std::vector<Cid>{root, inner, a, b, c});
}

TEST_CASE("a walk gives up links of blocks far above and reads them again when it comes back") {
  using Visit = ScopeGuide::Visit;
  MemoryBlocks blocks;
  const auto leaf = [&](int number) {
    return Visit{test::raw_leaf(blocks, std::to_string(number)), {}};
  };
  std::map<Cid, std::vector<Visit>> links;
  size_t again = 0;
  LinkStack open(
      [&](const Visit& parent) {
        ++again;
        return Result<std::vector<Visit>>(links.at(parent.cid));
      },
      3);
  for (int level = 0; level < 4; ++level) {
    const Visit parent = leaf(100 + level);
    links[parent.cid] = {leaf(10 * level), leaf(10 * level + 1), leaf(10 * level + 2)};
    REQUIRE(open.push(parent, links[parent.cid]));
    CHECK((*open.pop())->visit.cid == leaf(10 * level).cid);
  }
  CHECK(again == 0);
  for (int level = 3; level >= 0; --level) {
    for (int i = 1; i < 3; ++i) {
      const auto next = open.pop();
      REQUIRE(next);
      REQUIRE(*next);
      CHECK((*next)->visit.cid == leaf(10 * level + i).cid);
      CHECK((*next)->level == static_cast<size_t>(level));
    }
  }
  CHECK(again == 3);
  CHECK_FALSE(*open.pop());
  CHECK(open.levels() == 0);
}

TEST_CASE("R40 a block of many links to small blocks is read once, not once for each of them") {
  using Visit = ScopeGuide::Visit;
  MemoryBlocks blocks;
  const auto leaf = [&](int number) {
    return Visit{test::raw_leaf(blocks, std::to_string(number)), {}};
  };
  constexpr int kChildren = 70'000;
  static_assert(kChildren > LinkStack::kMostLinks);
  size_t again = 0;
  const std::vector<Visit> children(kChildren, leaf(0));
  LinkStack open([&](const Visit&) {
    if (++again > 100) return Result<std::vector<Visit>>(fail(Errc::internal, "read once more"));
    return Result<std::vector<Visit>>(children);
  });
  const Visit grandchild = leaf(2);
  REQUIRE(open.push(leaf(1), children));
  for (int i = 0; i < kChildren; ++i) {
    const auto child = open.pop();
    REQUIRE(child);
    REQUIRE((*child)->level == 0);
    REQUIRE(open.push((*child)->visit, {grandchild}));
    REQUIRE((*open.pop())->visit.cid == grandchild.cid);
  }
  CHECK_FALSE(*open.pop());
  CHECK(again == 0);
}

TEST_CASE("a set of fingerprints knows what it was given, and next to nothing else") {
  FingerprintSet set;
  for (int i = 0; i < 20'000; ++i) CHECK(set.insert(std::to_string(i)));
  CHECK(set.size() == 20'000);
  for (int i = 0; i < 20'000; ++i) CHECK_FALSE(set.insert(std::to_string(i)));
  for (int i = 20'000; i < 40'000; ++i) CHECK_FALSE(set.contains(std::to_string(i)));
  CHECK(set.insert("1", "2"));
  CHECK(set.contains("12"));
  CHECK_FALSE(set.contains("1", "3"));
}
