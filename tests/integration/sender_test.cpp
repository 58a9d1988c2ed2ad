#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "nostr/base/base64.h"
#include "sync/content_plan.h"
#include "sync/content_sender.h"
#include "sync/gateway/http_client.h"
#include "sync/ipfs/car.h"
#include "sync/ipfs/dag_walk.h"
#include "sync/record_sender.h"
#include "tests/support/catch.h"
#include "tests/support/scripted_gateway.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::BlockTable;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

IpnsRecord record(uint64_t sequence) {
  return *create_record(key(), {.value = "/ipfs/bafkqaaa",
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
}

std::string text(const IpnsRecord& record) { return std::string(as_text(record.bytes())); }

struct Faults {
  bool loses_blocks = false;
  bool loses_records = false;
  bool old = false;  // knows no name/get and name/put
  std::string pin_error;
  int lost_puts = 0;  // so many records are lost, then they stay
};

// A node that stores what Kubo's RPC gives it, and can forget it at once.
struct Node {
  explicit Node(Faults wanted = {})
      : faults(std::move(wanted)),
        server([this](const ScriptedRequest& request) { return answer(request); }) {}

  static ScriptedAnswer unknown() {
    return {
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found"};
  }
  static ScriptedAnswer error(const std::string& message) {
    return {.status = 500, .body = R"({"Message":")" + message + R"(","Code":0,"Type":"error"})"};
  }
  static std::string file_of(const ScriptedRequest& request) {
    const size_t start = request.body.find("\r\n\r\n") + 4;
    return request.body.substr(start, request.body.rfind("\r\n--") - start);
  }

  ScriptedAnswer answer(const ScriptedRequest& request) {
    std::lock_guard lock(mutex);
    if (request.method != "POST") return unknown();
    const auto is = [&](const char* command) {
      return request.target.rfind(std::string("/api/v0/") + command, 0) == 0;
    };
    const size_t arg = request.target.find("arg=");
    const std::string argument =
        arg == std::string::npos
            ? ""
            : request.target.substr(arg + 4, request.target.find('&', arg) - arg - 4);
    if (is("version")) return {.body = R"({"Version":"0.43.0"})"};
    if (is("dag/import")) {
      largest = std::max(largest, request.body.size());
      CarReader reader([&](const CarSection& section) -> Status {
        if (!faults.loses_blocks) blocks.insert(section.cid.to_string());
        bytes[section.cid.to_string()] = std::string(as_text(section.block));
        return {};
      });
      const Status read = reader.feed(as_bytes(file_of(request)));
      if (!read || !reader.finish()) return error("bad CAR");
      if (request.target.find("pin-roots=true") == std::string::npos) return {.body = "\n"};
      const std::string lacks = faults.loses_blocks ? "" : missing(reader.roots().front());
      if (!lacks.empty()) {
        return {.body = R"({"Root":{"Cid":{"/":")" + reader.roots().front().to_string() +
                        R"("},"PinErrorMsg":"ipld: could not find )" + lacks + "\"}}\n"};
      }
      if (faults.pin_error.empty()) pinned.insert(reader.roots().front().to_string());
      return {.body = R"({"Root":{"Cid":{"/":")" + reader.roots().front().to_string() +
                      R"("},"PinErrorMsg":")" + faults.pin_error + "\"}}\n"};
    }
    if (is("block/get"))
      return blocks.count(argument) != 0 ? ScriptedAnswer{.body = bytes[argument]}
                                         : error("ipld: could not find it");
    if (is("block/stat") && !faults.old)
      return blocks.count(argument) != 0
                 ? ScriptedAnswer{.body = R"({"Key":")" + argument + R"(","Size":1})"}
                 : error("ipld: could not find it");
    if (is("pin/ls") && !faults.old)
      return pinned.count(argument) != 0
                 ? ScriptedAnswer{.body = R"({"Keys":{")" + argument +
                                          R"(":{"Type":"recursive","Name":""}}})"}
                 : error("path '" + argument + "' is not pinned");
    if (is("pin/rm"))
      return pinned.erase(argument) != 0 ? ScriptedAnswer{.body = R"({"Pins":[]})"}
                                         : error("not pinned or pinned indirectly");
    if ((is("name/put") && !faults.old) || is("routing/put")) {
      if (faults.lost_puts-- <= 0 && !faults.loses_records) kept = file_of(request);
      return {.body = R"({"Name":"x","Value":"y"})"};
    }
    if (is("name/get") && !faults.old)
      return kept.empty() ? error("routing: not found") : ScriptedAnswer{.body = kept};
    if (is("routing/get")) {
      if (kept.empty()) return error("routing: not found");
      return {.body = R"({"Extra":")" + to_base64(as_bytes(kept)) + R"(","Type":5})"};
    }
    return unknown();
  }

  // As Kubo does before it pins: the first block below the root that is not here. With mutex held.
  std::string missing(const Cid& root) const {
    std::vector<Cid> open{root};
    while (!open.empty()) {
      const Cid cid = open.back();
      open.pop_back();
      const auto block = bytes.find(cid.to_string());
      if (block == bytes.end() || blocks.count(cid.to_string()) == 0) return cid.to_string();
      const auto links = *block_links(cid, as_bytes(block->second));
      open.insert(open.end(), links.begin(), links.end());
    }
    return {};
  }
  size_t imported() const { return server.count("dag/import"); }

  std::mutex mutex;
  Faults faults;
  std::set<std::string> blocks;
  std::set<std::string> pinned;
  std::map<std::string, std::string> bytes;
  std::string kept;
  size_t largest = 0;
  ScriptedHttpServer server;
};

struct TableSource : BlockSource {
  explicit TableSource(BlockTable& blocks) : table(blocks) {}
  Result<std::optional<Bytes>> get(const Cid& cid) override {
    const std::string* block = table.find(cid.to_string());
    if (block == nullptr) return std::optional<Bytes>();
    return std::optional<Bytes>(to_bytes(*block));
  }
  BlockTable& table;
};

struct Fixture {
  explicit Fixture(const std::vector<std::string>& urls)
      : book(entries(urls)), http(std::move(*gateway::HttpClient::open())) {}
  static std::vector<gateway::GatewayBook::Entry> entries(const std::vector<std::string>& urls) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (const std::string& url : urls) out.push_back({{url, {}}, 1});
    return out;
  }
  gateway::GatewayBook book;
  std::unique_ptr<gateway::HttpClient> http;
};

const Outcome::Place& place(const std::vector<Outcome::Place>& places, const std::string& url) {
  for (const Outcome::Place& found : places) {
    if (found.url == url) return found;
  }
  FAIL("no place " << url);
  return places.front();
}

const std::vector<Milliseconds> kQuick{Milliseconds(10), Milliseconds(20)};

}  // namespace

TEST_CASE("content goes to all nodes in batches, is pinned and read back (S1-11, S1-32)") {
  BlockTable table;
  const Cid root = table.add_tree(8, 20'000, 1);
  TableSource source(table);
  Node first;
  Node second;
  ScriptedHttpServer router(
      [](const ScriptedRequest&) { return ScriptedAnswer{.status = 400, .body = "bad name"}; });
  Fixture fixture({first.server.url(), second.server.url(), router.url()});
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
  Node node;
  Fixture fixture({node.server.url()});
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
  Node with;
  Node without;
  Fixture fixture({with.server.url(), without.server.url()});
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
  Node node;
  Fixture fixture({node.server.url()});
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
  Node node;
  Fixture fixture({node.server.url()});
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
  Node node;
  Fixture fixture({node.server.url()});
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
  Node node;
  ScriptedHttpServer stalls([](const ScriptedRequest& request) {
    if (request.target.find("version") != std::string::npos)
      return ScriptedAnswer{.body = R"({"Version":"0.43.0"})"};
    return ScriptedAnswer{.delay = Seconds(60)};
  });
  Fixture fixture({stalls.url(), node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Outcome::Place> through;
  const auto start = std::chrono::steady_clock::now();
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
    REQUIRE(changed.wait_for(lock, Seconds(10), [&] { return !through.empty(); }));
    CHECK(through.front().ok);
  }
  sender.close();
  CHECK(std::chrono::steady_clock::now() - start < Seconds(10));
  REQUIRE(through.size() == 2);
  CHECK_FALSE(through.back().ok);
}

TEST_CASE(
    "a node that takes blocks and does not have them, one that cannot pin, and one that is gone "
    "are told (R23, R2)") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 1);
  TableSource source(table);
  Node good;
  Node losing({.loses_blocks = true});
  Node full({.pin_error = "disk full"});
  Node old({.old = true});
  Node gone;
  Fixture fixture({good.server.url(), losing.server.url(), full.server.url(), old.server.url(),
                   gone.server.url()});
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
  Node node;
  Fixture fixture({node.server.url()});
  ContentSender sender(*fixture.http, fixture.book, source);
  const auto sent = sender.send_now(root, content_nodes(*fixture.http, fixture.book));
  REQUIRE(sent.size() == 1);
  CHECK_FALSE(sent[0].place.ok);
  CHECK(sent[0].place.detail.find("not all blocks are here") != std::string::npos);
  CHECK(node.pinned.empty());
  CHECK(node.imported() == 0);
}

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
  Node node;
  Node old({.old = true});
  Fixture fixture({router.url(), node.server.url(), old.server.url()});
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
  Node forgets_once({.lost_puts = 1});
  Node forgets({.loses_records = true});
  Fixture fixture({forgets_once.server.url(), forgets.server.url()});
  RecordSender sender(*fixture.http, fixture.book, {.retries = kQuick});
  const auto places = sender.send_now(key().name(), record(5));
  CHECK(place(places, forgets_once.server.url()).ok);
  CHECK_FALSE(place(places, forgets.server.url()).ok);
  CHECK(place(places, forgets.server.url()).detail.find("accepted, but not readable") == 0);
  CHECK(forgets.server.count("name/put") == 3);
}

TEST_CASE("a place that has a newer record says so, and nothing is repeated") {
  Node node({.loses_records = true});
  node.kept = text(record(9));
  Fixture fixture({node.server.url()});
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
  Node node;
  Fixture fixture({slow.url(), node.server.url()});
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
