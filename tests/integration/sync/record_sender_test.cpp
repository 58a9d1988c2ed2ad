#include "ipnscast/sync/publish/record_sender.h"

#include <condition_variable>

#include "ipnscast/tests/integration/sync/sender_fixture.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE(
    "a record reaches routers and nodes, old ones too, and is read back from each (S0-01, S0-02, "
    "S1-11)") {
  std::mutex mutex;
  std::string kept;
  ScriptedHttpServer router([&](const ScriptedRequest& request) {
    std::lock_guard lock(mutex);
    if (request.target.find("/routing/v1/ipns/k51") != 0)
      return ScriptedAnswer{.status = 400, .body = "bad name"};
    if (request.method == "PUT") {
      kept = request.body;
      return ScriptedAnswer{};
    }
    return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
                          .body = kept};
  });
  BlockTable empty;
  ScriptedHttpServer gateway_only(test::gateway_script(empty));
  KeepingNode node;
  KeepingNode old({.old = true});
  SenderFixture fixture({router.url(), node.server.url(), old.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const IpnsRecord mine = record(5);
  const auto places = sender.send_now(key().name(), mine);
  REQUIRE(places.size() == 3);
  for (const Outcome::Place& where : places) {
    INFO(where.url << " " << where.detail);
    CHECK(where.ok);
    CHECK(where.detail == "stored");
  }
  CHECK(place(places, router.url()).kind == Outcome::Place::Kind::router);
  CHECK(place(places, old.server.url()).kind == Outcome::Place::Kind::node);
  CHECK(kept == text(mine));
  CHECK(node.kept == text(mine));
  CHECK(old.kept == text(mine));
}

TEST_CASE("a 200 whose record cannot be read back is repeated, and in the end told as such (R23)") {
  KeepingNode forgets_once({.lost_puts = 1});
  KeepingNode forgets({.loses_records = true});
  SenderFixture fixture({forgets_once.server.url(), forgets.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5));
  CHECK(place(places, forgets_once.server.url()).ok);
  CHECK_FALSE(place(places, forgets.server.url()).ok);
  CHECK(place(places, forgets.server.url()).detail.find("accepted, but not readable") == 0);
  CHECK(forgets.server.count("name/put") == 3);
}

TEST_CASE("a place that has a newer record says so, and nothing is repeated") {
  KeepingNode node({.loses_records = true});
  node.kept = text(record(9));
  SenderFixture fixture({node.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5));
  REQUIRE(places.size() == 1);
  CHECK_FALSE(places[0].ok);
  CHECK(places[0].detail == "refused: a newer record is there, sequence 9");
  CHECK(node.server.count("name/put") == 1);
}

TEST_CASE("a slow router does not hold up the others, and closing does not wait for it") {
  ScriptedHttpServer slow([](const ScriptedRequest& request) {
    if (request.method == "PUT") return ScriptedAnswer{.delay = Seconds(60)};
    return ScriptedAnswer{.status = 400, .body = "bad name"};
  });
  KeepingNode node;
  SenderFixture fixture({slow.url(), node.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> through;
  const auto start = std::chrono::steady_clock::now();
  sender.send(
      key().name(), record(5),
      [&](const Outcome::Place& where) {
        std::lock_guard lock(mutex);
        through.push_back(where.url);
        changed.notify_all();
      },
      nullptr);
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, Seconds(5), [&] { return !through.empty(); }));
    CHECK(through.front() == node.server.url());
  }
  sender.close();
  CHECK(std::chrono::steady_clock::now() - start < Seconds(5));
  CHECK(through.size() == 2);
}
