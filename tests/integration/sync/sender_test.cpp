#include <condition_variable>

#include "ipnscast/sync/publish/content_plan.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/tests/integration/sync/sender_fixture.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE("content goes to all nodes in batches, is pinned and read back (S1-11, S1-32)") {
  BlockTable table;
  const Cid root = table.add_tree(8, 20'000, 1);
  TableSource source(table);
  KeepingNode first;
  KeepingNode second;
  ScriptedHttpServer router(
      [](const ScriptedRequest&) { return ScriptedAnswer{.status = 400, .body = "bad name"}; });
  SenderFixture fixture({first.server.url(), second.server.url(), router.url()});
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  CHECK(nodes == std::vector<size_t>{0, 1});
  ContentSender sender(*fixture.http, fixture.book, source);
  std::mutex mutex;
  std::map<std::string, std::vector<PublishProgress>> progress;
  SendOptions options;
  options.batch_bytes = 200'000;
  options.on_progress = [&](const PublishProgress& now) {
    std::lock_guard lock(mutex);
    progress[now.node].push_back(now);
  };
  const auto sent = sender.send_now(root, nodes, options);
  REQUIRE(sent.size() == 2);
  for (const auto& one : sent) {
    INFO(one.place.detail);
    CHECK(one.place.ok);
    CHECK(one.blocks == table.blocks().size());
    CHECK_FALSE(one.was_pinned);
    const auto& steps = progress[one.place.url];
    REQUIRE(steps.size() > 4);
    CHECK(steps.front().bytes == 0);
    CHECK(steps.back().bytes == steps.back().total);
    CHECK(steps.back().total == one.bytes);
  }
  CHECK(first.blocks.size() == table.blocks().size());
  CHECK(first.largest < 210'000);
  CHECK(first.server.count("pin-roots=false") > 3);
  CHECK(first.server.count("pin-roots=true") == 1);
  CHECK(second.pinned.count(root.to_string()) == 1);
  CHECK(sender.unpin(1, root));
  CHECK(second.pinned.empty());
  CHECK(sender.unpin(1, root));
}

TEST_CASE(
    "what a node has pinned already is not sent to it again, and the pin is told as not ours") {
  BlockTable table;
  const Cid root = table.add_tree(4, 1'000, 1);
  TableSource source(table);
  KeepingNode node;
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  CHECK_FALSE(sender.send_now(root, nodes)[0].was_pinned);
  const size_t before = node.imported();
  const auto again = sender.send_now(root, nodes);
  CHECK(again[0].place.ok);
  CHECK(again[0].was_pinned);
  CHECK(again[0].blocks == 0);
  CHECK(node.imported() == before);
}

TEST_CASE("of a changed tree only what is new goes to a node that keeps the version before") {
  BlockTable table;
  const Cid part = table.add_tree(6, 5'000, 1);
  const Cid before = table.add_node({part, table.add_raw("old")});
  const Cid after = table.add_node({part, table.add_raw("new")});
  TableSource source(table);
  KeepingNode with;
  KeepingNode without;
  SenderFixture fixture({with.server.url(), without.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  REQUIRE(sender.send_now(before, {0})[0].place.ok);
  SendOptions options;
  options.bases = {before};
  for (const auto& one : sender.send_now(after, nodes, options)) {
    INFO(one.place.detail);
    CHECK(one.place.ok);
    CHECK(one.blocks == (one.node == 0 ? 2 : table.blocks().size() - 2));
  }
}

TEST_CASE("a subtree of what a node keeps can become a root of its own with one block sent") {
  BlockTable table;
  const Cid part = table.add_tree(4, 1'000, 1);
  const Cid whole = table.add_node({part, table.add_raw("beside")});
  TableSource source(table);
  KeepingNode node;
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  REQUIRE(sender.send_now(whole, nodes)[0].place.ok);
  SendOptions options;
  options.bases = {whole};
  const auto sent = sender.send_now(part, nodes, options);
  CHECK(sent[0].place.ok);
  CHECK(sent[0].blocks == 1);
  CHECK(node.pinned.count(part.to_string()) == 1);
}

TEST_CASE("an interrupted sending goes on behind what the node has got") {
  BlockTable table;
  const Cid root = table.add_tree(8, 20'000, 1);
  TableSource source(table);
  KeepingNode node;
  SenderFixture fixture({node.server.url()});
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  SendOptions options;
  options.batch_bytes = 100'000;
  const auto plan = plan_content(source, root, {}, options.batch_bytes);
  REQUIRE(plan);
  const size_t half = plan->batches.size() / 2;
  for (size_t i = 0; i < plan->batches[half].end; ++i) {
    const std::string text = plan->blocks[i].to_string();
    node.blocks.insert(text);
    node.bytes[text] = *table.find(text);
  }
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto sent = sender.send_now(root, nodes, options);
  CHECK(sent[0].place.ok);
  CHECK(sent[0].blocks == plan->blocks.size() - plan->batches[half].begin);
  CHECK(node.server.count("block/stat") < 8);
}

TEST_CASE(
    "blocks that merely lie at a node prove nothing: with a hole below them, everything is sent") {
  BlockTable table;
  const Cid hidden = table.add_tree(3, 500, 2);
  const Cid before = table.add_node({hidden, table.add_raw("old")});
  const Cid root = table.add_node({hidden, table.add_tree(8, 20'000, 1)});
  TableSource source(table);
  KeepingNode node;
  SenderFixture fixture({node.server.url()});
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  SendOptions options;
  options.batch_bytes = 100'000;
  SECTION("the first block of every batch is there, nothing else") {
    const auto plan = plan_content(source, root, {}, options.batch_bytes);
    for (const auto& batch : plan->batches) {
      const std::string text = plan->blocks[batch.begin].to_string();
      node.blocks.insert(text);
      node.bytes[text] = *table.find(text);
    }
  }
  SECTION("a pin of a former version that is a lie") {
    options.bases = {before};
    node.pinned.insert(before.to_string());
  }
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto sent = sender.send_now(root, nodes, options);
  INFO(sent[0].place.detail);
  CHECK(sent[0].place.ok);
  CHECK(node.missing(root).empty());
  CHECK(node.pinned.count(root.to_string()) == 1);
}

TEST_CASE("a node that stalls does not hold up the others, and closing does not wait for it") {
  BlockTable table;
  const Cid root = table.add_tree(4, 1'000, 1);
  TableSource source(table);
  KeepingNode node;
  ScriptedHttpServer stalls([](const ScriptedRequest& request) {
    if (request.target.find("version") != std::string::npos)
      return ScriptedAnswer{.body = R"({"Version":"0.43.0"})"};
    return ScriptedAnswer{.delay = std::chrono::hours(1)};
  });
  SenderFixture fixture({stalls.url(), node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Outcome::Place> through;
  sender.send(
      root, {0, 1}, {},
      [&](const ContentSender::Sent& sent) {
        std::lock_guard lock(mutex);
        through.push_back(sent.place);
        changed.notify_all();
      },
      nullptr);
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, Seconds(30), [&] { return !through.empty(); }));
    CHECK(through.front().ok);
  }
  sender.close();
  REQUIRE(through.size() == 2);
  CHECK_FALSE(through.back().ok);
}

TEST_CASE(
    "a node that takes blocks and does not have them, one that cannot pin, and one that is gone "
    "are told (R23, R2)") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 1);
  TableSource source(table);
  KeepingNode good;
  KeepingNode losing({.loses_blocks = true});
  KeepingNode full({.pin_error = "disk full"});
  KeepingNode old({.old = true});
  KeepingNode gone;
  SenderFixture fixture({good.server.url(), losing.server.url(), full.server.url(),
                         old.server.url(), gone.server.url()});
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  gone.server.stop();
  ContentSender sender(*fixture.http, fixture.book, source);
  std::vector<Outcome::Place> places;
  for (const auto& sent : sender.send_now(root, nodes)) places.push_back(sent.place);
  CHECK(place(places, good.server.url()).ok);
  CHECK(place(places, old.server.url()).ok);
  CHECK_FALSE(place(places, losing.server.url()).ok);
  CHECK(place(places, losing.server.url()).detail.find("accepted, but not readable") !=
        std::string::npos);
  CHECK(place(places, full.server.url()).detail == "refused: not pinned: disk full");
  CHECK(place(places, gone.server.url()).detail.find("unreachable") == 0);
}

TEST_CASE("an incomplete DAG is not sent as if it were whole") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 1);
  table.remove(table.add_raw("1/1/1/" + std::string(94, 'x')));
  TableSource source(table);
  KeepingNode node;
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto sent = sender.send_now(root, content_nodes(*fixture.http, fixture.book));
  REQUIRE(sent.size() == 1);
  CHECK_FALSE(sent[0].place.ok);
  CHECK(sent[0].place.detail.find("not all blocks are here") != std::string::npos);
  CHECK(node.pinned.empty());
  CHECK(node.imported() == 0);
}

TEST_CASE("an upload ends when no byte moves, not because it takes long") {
  BlockTable table;
  const Cid root = table.add_raw("hello");
  TableSource source(table);
  KeepingNode keeping;
  bool hangs = false;
  ScriptedHttpServer node([&](const ScriptedRequest& request) {
    auto answer = keeping.answer(request);
    if (request.target.find("dag/import") == std::string::npos) return answer;
    if (hangs) answer.delay = std::chrono::hours(1);
    answer.slice = 1;
    answer.pause = Milliseconds(6);
    return answer;
  });
  SenderFixture fixture({node.url()});
  const Milliseconds stall(400);
  ContentSender sender(*fixture.http, fixture.book, source, stall);
  const auto nodes = content_nodes(*fixture.http, fixture.book);
  SECTION("it is slow") {
    const Instant start = std::chrono::steady_clock::now();
    const auto sent = sender.send_now(root, nodes);
    INFO(sent[0].place.detail);
    CHECK(sent[0].place.ok);
    CHECK(std::chrono::steady_clock::now() - start > stall);
  }
  SECTION("it hangs") {
    hangs = true;
    const auto sent = sender.send_now(root, nodes);
    CHECK_FALSE(sent[0].place.ok);
    CHECK(sent[0].place.detail.find("publish.stall") != std::string::npos);
  }
}

TEST_CASE("Retry-After of a node that is asked too much is told, and noted in the book") {
  BlockTable table;
  const Cid root = table.add_raw("hello");
  TableSource source(table);
  KeepingNode keeping;
  ScriptedHttpServer node([&](const ScriptedRequest& request) {
    if (request.target.find("dag/import") == std::string::npos) return keeping.answer(request);
    return ScriptedAnswer{.status = 429, .headers = {{"Retry-After", "600"}}};
  });
  SenderFixture fixture({node.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto sent = sender.send_now(root, content_nodes(*fixture.http, fixture.book));
  CHECK_FALSE(sent[0].place.ok);
  CHECK(sent[0].retry_after == Seconds(600));
  const Instant now = std::chrono::steady_clock::now();
  CHECK(fixture.book.left_alone(0, now + Seconds(590)));
  CHECK_FALSE(fixture.book.left_alone(0, now + Seconds(610)));
}
