// The embedded node's gateway and RPC over stores in memory: requests in, answers out, no socket.
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/node/gateway_routes.h"
#include "ipnscast/bridge/node/rpc_routes.h"
#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/car_v2.h"
#include "ipnscast/tests/support/gateways/node_samples.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using namespace ipnscast::test;
using sync::Cid;
using sync::Codec;

namespace {

constexpr UnixMillis kNow = test::kNodeTime;

Block directory_of(const std::vector<std::pair<std::string, Block>>& entries) {
  sync::PbNode node;
  node.data = sync::encode_unixfs({.type = sync::UnixfsType::directory});
  for (const auto& [name, block] : entries)
    node.links.push_back({block.cid, name, block.bytes.size()});
  Bytes bytes = sync::encode_dag_pb(node);
  return {*sync::make_cid(Codec::dag_pb, bytes), bytes};
}

Bytes car_of(const Cid& root, const std::vector<Block>& blocks) {
  Bytes out = sync::car_header({root});
  for (const Block& block : blocks) sync::append_car_section(out, block.cid, block.bytes);
  return out;
}

// A node without its sockets.
struct Stage {
  std::unique_ptr<BlockStore> blocks = std::move(*BlockStore::open(":memory:", 1 << 20));
  std::unique_ptr<RecordStore> records = std::move(*RecordStore::open(":memory:"));
  GatewayRoutes gateway{*blocks, *records};
  RpcRoutes rpc{*blocks, *records};

  // The whole answer; `cut` tells whether a stream ended with an error.
  HttpResponse get(const std::string& target, std::map<std::string, std::string> headers = {},
                   std::string method = "GET") {
    NodeAnswer answer =
        gateway.answer(request_of(std::move(method), target, std::move(headers)), kNow);
    if (auto* whole = std::get_if<HttpResponse>(&answer)) return *whole;
    auto& stream = std::get<StreamedAnswer>(answer);
    HttpResponse out{200, stream.headers, {}};
    cut = false;
    for (;;) {
      const auto piece = stream.next();
      cut = !piece;
      if (!piece || piece->empty()) break;
      append(out.body, *piece);
    }
    return out;
  }
  HttpResponse call(const std::string& target) {
    return rpc.answer(request_of("POST", target), kNow);
  }
  nlohmann::json call_json(const std::string& target, int status = 200) {
    const HttpResponse answer = call(target);
    CHECK(answer.status == status);
    return nlohmann::json::parse(answer.body);
  }
  std::vector<Cid> cids_of(const HttpResponse& car) {
    std::vector<Cid> out;
    sync::CarReader reader([&](const sync::CarSection& section) {
      out.push_back(section.cid);
      return Status{};
    });
    CHECK(reader.feed(car.body));
    CHECK(reader.finish());
    return out;
  }

  bool cut = false;
};

}  // namespace

TEST_CASE("the gateway gives a raw block with headers that let caches keep it for ever") {
  Stage stage;
  const Block block = raw_block("hello");
  REQUIRE(stage.blocks->put(block.cid, block.bytes));
  const std::string target = "/ipfs/" + block.cid.to_string();
  const HttpResponse answer = stage.get(target + "?format=raw");
  CHECK(answer.status == 200);
  CHECK(answer.body == block.bytes);
  CHECK(answer.headers.at("content-type") == "application/vnd.ipld.raw");
  CHECK(answer.headers.at("cache-control") == "public, max-age=29030400, immutable");
  const std::string etag = answer.headers.at("etag");
  CHECK(etag == "\"" + block.cid.to_string() + ".raw\"");
  CHECK(stage.get(target + "?format=raw", {{"if-none-match", "\"x\", W/" + etag}}).status == 304);
  CHECK(stage.get(target, {{"accept", "application/vnd.ipld.raw"}}).body == block.bytes);
  CHECK(stage.get(target + "?format=raw", {{"accept", "text/html"}}).status == 200);
  CHECK(stage.get(target).status == 400);
  CHECK(stage.get(target + "?format=dag-json").status == 406);
  CHECK(stage.get("/ipfs/nonsense?format=raw").status == 400);
  CHECK(stage.get("/ipfs/?format=raw").status == 400);
  CHECK(stage.get("/").status == 404);
  CHECK(stage.get(target, {}, "POST").status == 405);
}

TEST_CASE("probes are cheap: the empty identity block, and 412 for what is not held") {
  Stage stage;
  const HttpResponse probe = stage.get("/ipfs/bafkqaaa?format=raw");
  CHECK(probe.status == 200);
  CHECK(probe.body.empty());
  const std::string absent = "/ipfs/" + raw_block("absent").cid.to_string() + "?format=raw";
  CHECK(stage.get(absent).status == 404);
  CHECK(stage.get(absent, {{"cache-control", "only-if-cached"}}, "HEAD").status == 412);
  CHECK(stage.get("/ipfs/bafkqaaa?format=raw", {{"cache-control", "only-if-cached"}}, "HEAD")
            .status == 200);
}

TEST_CASE("a DAG comes as a CAR, depth first, each block once, and dag-scope narrows it") {
  Stage stage;
  const Block a = raw_block("a");
  const Block b = raw_block("b");
  const Block inner = directory_of({{"a", a}, {"b", b}});
  const Block root = directory_of({{"again", a}, {"dir", inner}, {"z", b}});
  REQUIRE(stage.blocks->put_all(std::vector<Block>{a, b, inner, root}));
  const std::string target = "/ipfs/" + root.cid.to_string() + "?format=car";
  const HttpResponse answer = stage.get(target);
  CHECK(answer.headers.at("content-type") ==
        "application/vnd.ipld.car; version=1; order=dfs; dups=n");
  CHECK(stage.cids_of(answer) == std::vector<Cid>{root.cid, a.cid, inner.cid, b.cid});
  CHECK(stage.cids_of(stage.get(target + "&dag-scope=block")) == std::vector<Cid>{root.cid});
  CHECK(stage.cids_of(stage.get(target + "&dag-scope=entity")) == std::vector<Cid>{root.cid});
  CHECK(stage.get(target + "&dag-scope=most").status == 400);
  CHECK(stage.get(target + "&car-version=2").status == 400);
  CHECK(stage.get(target, {{"if-none-match", answer.headers.at("etag")}}).status == 304);
  CHECK(stage.get(target, {}, "HEAD").status == 200);
  CHECK_FALSE(stage.cut);
}

TEST_CASE("a path is resolved, and its CAR has the blocks that prove the way") {
  Stage stage;
  const Block a = raw_block("a");
  const Block b = raw_block("b");
  const Block inner = directory_of({{"a", a}, {"b", b}});
  const Block root = directory_of({{"dir", inner}, {"gone", raw_block("gone")}});
  REQUIRE(stage.blocks->put_all(std::vector<Block>{a, b, inner, root}));
  const std::string target = "/ipfs/" + root.cid.to_string();
  CHECK(stage.get(target + "/dir/b?format=raw").body == b.bytes);
  CHECK(stage.cids_of(stage.get(target + "/dir/b?format=car")) ==
        std::vector<Cid>{root.cid, inner.cid, b.cid});
  CHECK(stage.cids_of(stage.get(target + "/dir?format=car")) ==
        std::vector<Cid>{root.cid, inner.cid, a.cid, b.cid});
  CHECK(stage.get(target + "/dir/c?format=raw").status == 404);
  CHECK(stage.get(target + "/gone?format=raw").status == 404);
  CHECK(stage.get(target + "/gone?format=car", {{"cache-control", "only-if-cached"}}).status ==
        412);
  CHECK(stage.get(target + "/?format=raw").body == root.bytes);
}

TEST_CASE("R20: a DAG with a hole ends in a cut connection, not in a CAR that looks whole") {
  Stage stage;
  const Block here = raw_block("here");
  const Block root = directory_of({{"a", here}, {"b", raw_block("missing")}});
  REQUIRE(stage.blocks->put_all(std::vector<Block>{root, here}));
  stage.get("/ipfs/" + root.cid.to_string() + "?format=car");
  CHECK(stage.cut);
}

TEST_CASE("the official HAMT directory comes back whole, and its entity is its shards") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  Stage stage;
  const std::string car =
      test::read_file(*vectors / "car/single-layer-hamt-with-multi-block-files.car");
  const auto lines = stage.rpc.answer(upload("/api/v0/dag/import?stats=true", as_bytes(car)), kNow);
  REQUIRE(lines.status == 200);
  const auto root =
      nlohmann::json::parse(as_text(lines.body).substr(0, as_text(lines.body).find('\n')));
  const std::string cid = root["Root"]["Cid"]["/"];
  const auto all = stage.cids_of(stage.get("/ipfs/" + cid + "?format=car"));
  const auto entity = stage.cids_of(stage.get("/ipfs/" + cid + "?format=car&dag-scope=entity"));
  CHECK(all.size() == 243);
  CHECK(entity.size() < all.size());
  CHECK(entity.size() > 1);
}

TEST_CASE("a record comes from the gateway too, for the name itself only") {
  Stage stage;
  const auto key = record_key(1);
  const std::string target = "/ipns/" + key.name().to_string();
  CHECK(stage.get(target + "?format=ipns-record").status == 404);
  REQUIRE(stage.records->offer(key.name(), record_of(key, 2), kNow));
  CHECK(stage.get(target + "?format=ipns-record").body == record_of(key, 2));
  CHECK(stage.get(target + "/path?format=ipns-record").status == 400);
  CHECK(stage.get(target).status == 400);
}

TEST_CASE("a web page cannot use the RPC, and neither can a plain GET") {
  Stage stage;
  CHECK(
      stage.rpc
          .answer(request_of("POST", "/api/v0/version", {{"origin", "http://evil.example"}}), kNow)
          .status == 403);
  CHECK(stage.rpc.answer(request_of("GET", "/api/v0/version"), kNow).status == 405);
  CHECK(stage.call("/api/v0/shutdown").status == 404);
  CHECK(stage.call("/webui").status == 404);
  CHECK(stage.call_json("/api/v0/version").at("Version").is_string());
}

TEST_CASE("a CARv2 is imported like the CARv1 inside (F8)") {
  Stage stage;
  const Block a = raw_block("a");
  const Block root = directory_of({{"a", a}});
  const Bytes inner = car_of(root.cid, {root, a});
  const Bytes outer = test::car_v2(inner, 51, inner.size());
  CHECK(stage.rpc.answer(upload("/api/v0/dag/import", outer), kNow).status == 200);
  CHECK(*stage.blocks->pins() == std::vector<Cid>{root.cid});
  CHECK(stage.call("/api/v0/block/get?arg=" + a.cid.to_string()).body == a.bytes);
}

TEST_CASE("an imported CAR can be read block by block and is pinned when it is whole") {
  Stage stage;
  const Block a = raw_block("a");
  const Block root = directory_of({{"a", a}});
  const auto import = [&](const Bytes& car, const std::string& query = "") {
    const HttpResponse answer = stage.rpc.answer(upload("/api/v0/dag/import" + query, car), kNow);
    return nlohmann::json::parse(as_text(answer.body).substr(0, as_text(answer.body).find('\n')));
  };
  const auto hole = import(car_of(root.cid, {root}));
  CHECK(hole["Root"]["Cid"]["/"] == root.cid.to_string());
  CHECK(hole["Root"]["PinErrorMsg"].get<std::string>().find("could not find") != std::string::npos);
  CHECK(stage.blocks->pins()->empty());
  CHECK(import(car_of(root.cid, {root, a}))["Root"]["PinErrorMsg"] == "");
  CHECK(*stage.blocks->pins() == std::vector<Cid>{root.cid});
  CHECK(import(car_of(root.cid, {root, a}), "?pin-roots=false&stats=true")["Stats"]["BlockCount"] ==
        2);
  CHECK(stage.call("/api/v0/block/get?arg=" + a.cid.to_string()).body == a.bytes);
  CHECK(stage.call("/api/v0/block/get?arg=/ipfs/bafkqaaa").body.empty());

  Bytes cut = car_of(root.cid, {root, a});
  cut.pop_back();
  CHECK(import(cut)["Type"] == "error");
  Bytes altered = car_of(root.cid, {root, a});
  altered.back() ^= 1;
  CHECK(import(altered)["Type"] == "error");
  CHECK(import(Bytes(10'000, 0xff))["Type"] == "error");
}

TEST_CASE("pins come and go, and errors have Kubo's form") {
  Stage stage;
  const Block block = raw_block("x");
  const std::string arg = "?arg=" + block.cid.to_string();
  CHECK(stage.call_json("/api/v0/block/stat" + arg, 500)["Message"].get<std::string>().find(
            "could not find") != std::string::npos);
  const auto missing = stage.call_json("/api/v0/pin/add" + arg, 500);
  CHECK(missing["Type"] == "error");
  CHECK(missing["Code"] == 0);
  CHECK(missing["Message"].get<std::string>().find("could not find") != std::string::npos);
  REQUIRE(stage.blocks->put(block.cid, block.bytes));
  CHECK(stage.call_json("/api/v0/block/stat" + arg)["Size"] == block.bytes.size());
  CHECK(stage.call_json("/api/v0/pin/ls" + arg, 500)["Message"].get<std::string>().find(
            "not pinned") != std::string::npos);
  CHECK(stage.call_json("/api/v0/pin/add" + arg)["Pins"][0] == block.cid.to_string());
  CHECK(stage.call_json("/api/v0/pin/ls" + arg)["Keys"][block.cid.to_string()]["Type"] ==
        "recursive");
  CHECK(stage.call_json("/api/v0/pin/rm" + arg)["Pins"][0] == block.cid.to_string());
  CHECK(stage.call_json("/api/v0/pin/rm" + arg, 500)["Message"].get<std::string>().find(
            "not pinned") != std::string::npos);
  CHECK(stage.call_json("/api/v0/pin/add", 400)["Type"] == "error");
  CHECK(stage.call_json("/api/v0/block/get?arg=nonsense", 400)["Type"] == "error");
}

TEST_CASE("S1-18: records go in and out by Kubo's calls of both generations") {
  Stage stage;
  const auto key = record_key(1);
  const std::string name = key.name().to_string();
  const Bytes record = record_of(key, 7, "/ipfs/bafkqaddwgevxmmraojswg33smq");
  CHECK(stage.call_json("/api/v0/name/get?arg=" + name, 500)["Message"] == "routing: not found");
  const HttpResponse put = stage.rpc.answer(upload("/api/v0/name/put?arg=" + name, record), kNow);
  CHECK(put.status == 200);
  CHECK(nlohmann::json::parse(put.body)["Value"] == "/ipfs/bafkqaddwgevxmmraojswg33smq");
  CHECK(stage.call("/api/v0/name/get?arg=" + key.name().base58()).body == record);
  const auto by_routing = stage.call_json("/api/v0/routing/get?arg=/ipns/" + name);
  CHECK(*from_base64(by_routing["Extra"].get<std::string>(), 20'000) == record);
  CHECK(by_routing["Type"] == 5);
  CHECK(stage.rpc.answer(upload("/api/v0/routing/put?arg=/ipns/" + name, record_of(key, 6)), kNow)
            .status == 500);
  CHECK(stage.rpc.answer(upload("/api/v0/routing/put?arg=/ipns/" + name, record_of(key, 8)), kNow)
            .status == 200);
  CHECK(stage.call_json("/api/v0/name/resolve?arg=" + name)["Path"] == "/ipfs/bafkqaaa");
}

TEST_CASE("a name that leads to another name is followed, and a circle of names ends") {
  Stage stage;
  const auto first = record_key(1);
  const auto second = record_key(2);
  const auto offer = [&](const sync::IpnsKey& key, uint64_t sequence, const std::string& value) {
    REQUIRE(stage.records->offer(key.name(), record_of(key, sequence, value), kNow));
  };
  const std::string call = "/api/v0/name/resolve?arg=" + first.name().to_string();
  offer(first, 1, "/ipns/" + second.name().to_string() + "/inner");
  CHECK(stage.call_json(call, 500)["Message"] == "could not resolve name");
  offer(second, 1, "/ipfs/bafkqaaa/outer");
  CHECK(stage.call_json(call)["Path"] == "/ipfs/bafkqaaa/outer/inner");
  CHECK(stage.call_json(call + "&recursive=false")["Path"] ==
        "/ipns/" + second.name().to_string() + "/inner");
  offer(second, 2, "/ipns/" + first.name().to_string());
  CHECK(stage.call(call).status == 500);
}
