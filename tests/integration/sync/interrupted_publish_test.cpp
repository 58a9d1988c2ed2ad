#include "ipnscast/sync/publish/content_place.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/tests/integration/sync/sender_fixture.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

constexpr size_t kBatch = 100'000;

// A node that fails some of what it is asked to store.
struct FailingNode {
  explicit FailingNode(std::function<bool(size_t import)> fails_at)
      : fails(std::move(fails_at)), server([this](const ScriptedRequest& request) {
          if (asks_to_store(request) && fails(imports++)) return ScriptedAnswer{.status = 503};
          return keeping.answer(request);
        }) {}
  static bool asks_to_store(const ScriptedRequest& request) {
    return request.target.find("dag/import") != std::string::npos;
  }

  KeepingNode keeping;
  const std::function<bool(size_t import)> fails;
  std::atomic<size_t> imports = 0;
  ScriptedHttpServer server;
};

struct Content {
  BlockTable table;
  const Cid root = table.add_tree(8, 20'000, 1);
  TableSource source{table};
};

}  // namespace

TEST_CASE("a node that goes away in the middle of a publish and comes back gets the rest (A10)") {
  Content content;
  FailingNode node([](size_t import) { return import >= 3 && import < 6; });
  std::mutex mutex;
  std::vector<PublishProgress> steps;
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, content.source);
  SendOptions options;
  options.batch_bytes = kBatch;
  options.on_progress = [&](const PublishProgress& now) {
    std::lock_guard lock(mutex);
    steps.push_back(now);
  };
  const auto sent = sender.send_now(content.root, {0}, options);
  INFO(sent[0].place.detail);
  CHECK(sent[0].place.ok);
  CHECK_FALSE(sent[0].was_pinned);
  CHECK(node.keeping.pinned.count(content.root.to_string()) == 1);
  // At most one import is sent twice for each interruption.
  uint64_t whole = 0;
  for (const auto& [cid, block] : content.table.blocks()) whole += block.size();
  CHECK(sent[0].bytes <= whole + 3 * kBatch);
  const bool told = std::any_of(steps.begin(), steps.end(),
                                [](const PublishProgress& step) { return step.interrupted; });
  CHECK(told);
  CHECK(steps.back().bytes == steps.back().total);
  CHECK_FALSE(steps.back().interrupted);
}

TEST_CASE("a node that does not come back ends the publish, which tells how far it got (A10)") {
  Content content;
  FailingNode node([](size_t import) { return import >= 3; });
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, content.source, Milliseconds(700));
  SendOptions options;
  options.batch_bytes = kBatch;
  const auto sent = sender.send_now(content.root, {0}, options);
  INFO(sent[0].place.detail);
  CHECK_FALSE(sent[0].place.ok);
  CHECK(sent[0].failure == Errc::unreachable);
  CHECK(sent[0].place.detail.find("it has ") != std::string::npos);
  CHECK(sent[0].place.detail.find("goes on from there") != std::string::npos);
}

TEST_CASE("a node that takes nothing at all is not waited for") {
  Content content;
  FailingNode node([](size_t) { return true; });
  SenderFixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, content.source, Milliseconds(600'000));
  const auto sent = sender.send_now(content.root, {0});
  CHECK_FALSE(sent[0].place.ok);
  CHECK(node.imports == 1);
}

TEST_CASE("on a slow line imports become small, so that none of them looks like a stall (A10)") {
  constexpr size_t kMost = 4 * 1024 * 1024;
  ImportSize size(kMost);
  CHECK(size.bytes() == 512 * 1024);
  for (int i = 0; i < 10; ++i) size.took(Milliseconds(100));
  CHECK(size.bytes() == kMost);
  size.took(Milliseconds(4'000));
  CHECK(size.bytes() == kMost);
  for (int i = 0; i < 10; ++i) size.took(Milliseconds(10'000));
  CHECK(size.bytes() == 256 * 1024);
  ImportSize tiny(1'000);
  tiny.took(Milliseconds(10'000));
  CHECK(tiny.bytes() == 1'000);
}
