// Content and records on their way to real nodes: what Kubo guarantees, and what it does not.
#include <fstream>

#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/publish/content_plan.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/publish/record_place.h"
#include "ipnscast/sync/publish/record_sender.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;
namespace fs = std::filesystem;

namespace {

// One Kubo that has nobody to ask but would, and our senders before it.
struct Stage {
  explicit Stage(const fs::path& folder) : kubo(folder) {
    kubo.start();
    book = std::make_unique<gateway::GatewayBook>(
        std::vector<gateway::GatewayBook::Entry>{{{kubo.rpc(), {}}, 1}});
    sender = std::make_unique<ContentSender>(*http, *book, *cache);
    nodes = content_nodes(*http, *book);
  }
  ~Stage() { sender->close(); }

  // Packs a tree of `files` files, of which the first `changed` differ from those of other calls.
  Cid tree(int files, int changed, const std::string& what) {
    const fs::path top = work.path() / what;
    fs::create_directories(top);
    for (int i = 0; i < files; ++i) {
      std::ofstream out(top / ("file-" + std::to_string(i)));
      out << "file " << i << (i < changed ? what : "") << std::string(5'000, 'x');
    }
    return pack_path(top, {}, *cache)->root;
  }
  ContentSender::Sent send(const Cid& root, std::vector<Cid> bases = {}) {
    SendOptions options;
    options.batch_bytes = 100'000;
    options.bases = std::move(bases);
    return sender->send_now(root, nodes, options).at(0);
  }
  // Kubo can read all of it, alone.
  bool whole(const Cid& root) {
    return kubo.ipfs({"dag", "export", "--progress=false", "--offline", root.to_string()}).exit ==
           0;
  }

  KuboNode kubo;
  TempDir work;
  std::unique_ptr<BlockCache> cache = std::move(*BlockCache::open(work.path() / "cache"));
  std::unique_ptr<gateway::HttpClient> http = std::move(*gateway::HttpClient::open());
  std::unique_ptr<gateway::GatewayBook> book;
  std::unique_ptr<ContentSender> sender;
  std::vector<size_t> nodes;
};

}  // namespace

TEST_CASE("Kubo gets only what it lacks, has all of it, and keeps it through garbage collection") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  Stage stage(*folder);
  const Cid first = stage.tree(200, 0, "first");
  const Cid second = stage.tree(200, 1, "second");
  const auto sent = stage.send(first);
  INFO(sent.place.detail);
  REQUIRE(sent.place.ok);
  CHECK(sent.blocks == 201);
  stage.kubo.ask({"repo", "gc"});
  const auto changed = stage.send(second, {first});
  INFO(changed.place.detail);
  CHECK(changed.place.ok);
  CHECK(changed.blocks == 2);
  CHECK(stage.whole(second));
  const auto again = stage.send(second);
  CHECK(again.was_pinned);
  CHECK(again.blocks == 0);
  // The version before goes, the shared blocks stay.
  CHECK(stage.sender->unpin(stage.nodes[0], first));
  CHECK(stage.sender->unpin(stage.nodes[0], first));
  stage.kubo.ask({"repo", "gc"});
  CHECK_FALSE(stage.whole(first));
  CHECK(stage.whole(second));
}

TEST_CASE("Kubo does not pin what has a hole, whatever lies there, and then gets everything") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  Stage stage(*folder);
  const Cid first = stage.tree(100, 0, "first");
  const Cid second = stage.tree(100, 1, "second");
  REQUIRE(stage.send(first).place.ok);
  SECTION("the version before was unpinned and collected, but we go on from it") {
    stage.kubo.ask({"pin", "rm", first.to_string()});
    stage.kubo.ask({"repo", "gc"});
    CHECK(stage.send(second, {first}).blocks == 101);
  }
  SECTION("some blocks lie there unpinned: sending goes on behind them, and starts over") {
    stage.kubo.ask({"pin", "rm", first.to_string()});
    stage.kubo.ask({"repo", "gc"});
    const auto plan = plan_content(*stage.cache, second, {}, 100'000);
    REQUIRE(plan);
    for (const auto& batch : plan->batches) {
      const Cid& cid = plan->blocks[batch.begin];
      const auto block = read_block(*stage.cache, cid);
      stage.kubo.ask(
          {"block", "put", "--cid-codec=" + std::string(cid.is(Codec::raw) ? "raw" : "dag-pb")},
          std::string(as_text(*block)));
    }
    const auto sent = stage.send(second);
    INFO(sent.place.detail);
    CHECK(sent.place.ok);
    CHECK(sent.blocks > 101);
  }
  CHECK(stage.whole(second));
}

TEST_CASE("Kubo takes the same value with a later end of life, which its name/put refuses") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  Stage stage(*folder);
  const auto key = *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 9));
  const auto record = [&](uint64_t sequence, int hours) {
    return *create_record(key, {.value = "/ipfs/bafkqaaa",
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(hours))});
  };
  RecordSender records(*stage.http, *stage.book);
  for (const auto& [sequence, hours] :
       std::vector<std::pair<uint64_t, int>>{{3, 10}, {3, 40}, {4, 20}}) {
    const auto places = records.send_now(key.name(), record(sequence, hours));
    REQUIRE(places.size() == 1);
    INFO(places[0].detail);
    CHECK(places[0].ok);
  }
  const auto older = records.send_now(key.name(), record(3, 47));
  CHECK_FALSE(older[0].ok);
  CHECK(older[0].newer);
}

TEST_CASE(
    "S0-72: Kubo keeps the value that it has under a sequence, whatever ranks above it (R33)") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  Stage stage(*folder);
  const auto key = *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 11));
  const auto record = [&](uint64_t sequence, const char* value, int hours) {
    return *create_record(key, {.value = value,
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(hours))});
  };
  const IpnsRecord theirs = record(3, "/ipfs/bafkqaaa", 10);
  const IpnsRecord ours = record(3, "/ipfs/bafkqaalb", 40);
  const IpnsRecord renewal = record(3, "/ipfs/bafkqaaa", 20);
  const IpnsRecord next = record(4, "/ipfs/bafkqaalb", 10);
  // As an older Kubo, whose routing/put takes what ranks above: it knows no name/put.
  const bool old = GENERATE(false, true);
  CAPTURE(old);
  RecordPlaceTools tools;
  tools.ask = [&](gateway::HttpCall call) -> Result<gateway::HttpAnswer> {
    const bool unknown = call.url.find("/api/v0/name/") != std::string::npos;
    if (!old || !unknown) return stage.http->fetch(std::move(call));
    gateway::HttpAnswer answer;
    answer.head.status = 404;
    return answer;
  };
  tools.wait = [](Milliseconds) { return false; };
  gateway::Dialects dialects;
  dialects.rpc = true;
  const auto put = [&](const IpnsRecord& what) {
    return *put_record({stage.kubo.rpc(), {}}, dialects, key.name(), what, {}, tools);
  };
  const Outcome::Place first = put(theirs);
  INFO(first.detail);
  REQUIRE(first.ok);
  const Outcome::Place rival = put(ours);
  INFO(rival.detail);
  CHECK_FALSE(rival.ok);
  CHECK(rival.newer);
  CHECK(rival.newer_record == theirs.bytes());
  CHECK(put(renewal).ok);
  CHECK(put(theirs).newer_record == renewal.bytes());
  CHECK(put(next).ok);
}
