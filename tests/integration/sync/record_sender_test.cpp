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

namespace {

// A delegated router that takes whatever it is given.
struct KeepingRouter {
  ScriptedAnswer answer(const ScriptedRequest& request) {
    std::lock_guard lock(mutex);
    if (request.target.find("/routing/v1/ipns/k51") != 0)
      return ScriptedAnswer{.status = 400, .body = "bad name"};
    if (request.method == "GET" && failures-- > 0) return ScriptedAnswer{.status = 500};
    if (request.method == "PUT") {
      kept = request.body;
      ++puts;
      return ScriptedAnswer{};
    }
    if (kept.empty()) return ScriptedAnswer{.status = 404};
    return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
                          .body = kept};
  }

  void fail(int times) {
    std::lock_guard lock(mutex);
    failures = times;
  }

  std::mutex mutex;
  std::string kept;
  int puts = 0;
  int failures = 0;
  ScriptedHttpServer server{[this](const ScriptedRequest& request) { return answer(request); }};
};

constexpr const char* kOther = "/ipfs/bafkqaalb";

}  // namespace

TEST_CASE("S0-72: another value of the same sequence stays where it is, and is reported (R33)") {
  // By its end of life ours would win, or lose: neither counts.
  const IpnsRecord theirs = record(5, kOther, GENERATE(1, 9));
  const IpnsRecord ours = record(5, "/ipfs/bafkqaaa", 4);
  KeepingNode node;
  KeepingNode old({.old = true});
  KeepingRouter router;
  node.kept = old.kept = router.kept = text(theirs);
  SenderFixture fixture({node.server.url(), old.server.url(), router.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), ours);
  REQUIRE(places.size() == 3);
  for (const Outcome::Place& where : places) {
    INFO(where.url << " " << where.detail);
    CHECK_FALSE(where.ok);
    CHECK(where.newer);
    CHECK(where.settled);
    CHECK(where.newer_sequence == Sequence{5});
    CHECK(where.newer_record == theirs.bytes());
    CHECK(where.detail == "refused: another record is there under sequence 5");
  }
  CHECK(node.kept == text(theirs));
  CHECK(node.server.count("routing/put") == 0);
  CHECK(old.kept == text(theirs));
  CHECK(old.server.count("routing/put") == 0);
  CHECK(router.kept == text(theirs));
  CHECK(router.puts == 0);
}

TEST_CASE("a newer record stays where it is, and comes with the report (R33)") {
  const IpnsRecord theirs = record(9, kOther);
  KeepingNode node;
  KeepingNode old({.old = true});
  KeepingRouter router;
  node.kept = old.kept = router.kept = text(theirs);
  SenderFixture fixture({node.server.url(), old.server.url(), router.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5));
  REQUIRE(places.size() == 3);
  for (const Outcome::Place& where : places) {
    CHECK(where.newer);
    CHECK(where.newer_record == theirs.bytes());
    CHECK(where.detail == "refused: a newer record is there, sequence 9");
  }
  CHECK(router.puts == 0);
}

TEST_CASE("a renewal gets to every place, to Kubo by the one command that takes it") {
  const IpnsRecord renewal = record(5, "/ipfs/bafkqaaa", 4);
  KeepingNode node;
  KeepingNode old({.old = true});
  KeepingRouter router;
  node.kept = old.kept = router.kept = text(record(5));
  SenderFixture fixture({node.server.url(), old.server.url(), router.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  for (const Outcome::Place& where : sender.send_now(key().name(), renewal)) {
    INFO(where.url << " " << where.detail);
    CHECK(where.ok);
  }
  CHECK(node.kept == text(renewal));
  CHECK(node.server.count("routing/put") == 1);
  CHECK(old.kept == text(renewal));
  CHECK(router.kept == text(renewal));
}

TEST_CASE("a new value goes to Kubo by name/put alone, whatever the reason of its refusal (R34)") {
  KeepingNode node({.refuses_records = true});
  node.kept = text(record(4));
  SenderFixture fixture({node.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5, kOther));
  REQUIRE(places.size() == 1);
  CHECK_FALSE(places[0].ok);
  CHECK_FALSE(places[0].newer);
  CHECK(places[0].detail.find("no space left") != std::string::npos);
  CHECK(node.server.count("routing/put") == 0);
}

TEST_CASE("a router that does not tell what it has gets nothing until it does (R33)") {
  KeepingRouter router;
  const std::string theirs = text(record(5, kOther));
  router.kept = theirs;
  router.fail(2);
  SenderFixture fixture({router.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5));
  REQUIRE(places.size() == 1);
  CHECK(places[0].newer);
  CHECK(router.puts == 0);
  CHECK(router.kept == theirs);

  router.fail(1'000);
  const auto silent = sender.send_now(key().name(), record(6));
  REQUIRE(silent.size() == 1);
  CHECK_FALSE(silent[0].ok);
  CHECK_FALSE(silent[0].settled);
  CHECK(silent[0].detail.find("what is there could not be read") != std::string::npos);
  CHECK(router.puts == 0);
}

TEST_CASE("a slow router does not hold up the others, and closing does not wait for it") {
  ScriptedHttpServer slow([](const ScriptedRequest& request) {
    if (request.method == "PUT") return ScriptedAnswer{.delay = std::chrono::hours(1)};
    return ScriptedAnswer{.status = 400, .body = "bad name"};
  });
  KeepingNode node;
  SenderFixture fixture({slow.url(), node.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> through;
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
    REQUIRE(changed.wait_for(lock, Seconds(30), [&] { return !through.empty(); }));
    CHECK(through.front() == node.server.url());
  }
  sender.close();
  CHECK(through.size() == 2);
}
