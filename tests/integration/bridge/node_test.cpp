// The embedded node over real sockets on loopback, used by our own gateway protocols as it would be
// by a publisher and a reader.
#include <future>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using namespace ipnscast::sync::gateway;
using sync::Cid;
using sync::Codec;

namespace {

// A file of `count` blocks of random bytes, 256 KiB each: its root, and all its blocks.
struct File {
  Cid root;
  std::vector<std::pair<Cid, Bytes>> blocks;

  Bytes car() const {
    Bytes out = sync::car_header({root});
    for (const auto& [cid, block] : blocks) sync::append_car_section(out, cid, block);
    return out;
  }
};

File file_of(size_t count) {
  constexpr size_t kChunk = 256 * 1024;
  File out;
  sync::PbNode node;
  sync::UnixfsData data{.type = sync::UnixfsType::file};
  data.filesize = count * kChunk;
  for (size_t i = 0; i < count; ++i) {
    Bytes chunk = random_bytes(kChunk);
    const Cid cid = *sync::make_cid(Codec::raw, chunk);
    node.links.push_back({cid, "", kChunk});
    data.blocksizes.push_back(kChunk);
    out.blocks.emplace_back(cid, std::move(chunk));
  }
  node.data = sync::encode_unixfs(data);
  Bytes root = sync::encode_dag_pb(node);
  out.root = *sync::make_cid(Codec::dag_pb, root);
  out.blocks.emplace(out.blocks.begin(), out.root, std::move(root));
  return out;
}

struct Stage {
  explicit Stage(NodeOptions options = {}) {
    options.gateway_port = 0;
    options.rpc_port = 0;
    auto started = Node::start(*loop, std::move(options));
    if (!started) FAIL(started.error().message);
    node = std::move(*started);
    gateway.url = node->gateway_url();
    rpc.url = node->rpc_url();
  }
  uint16_t port_of(const Endpoint& endpoint) const { return test::port_of(endpoint.url); }

  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<HttpClient> http = std::move(*HttpClient::open());
  std::unique_ptr<Node> node;
  Endpoint gateway;
  Endpoint rpc;
};

HttpAnswer must(Result<HttpAnswer> answer) {
  if (!answer) FAIL(answer.error().message);
  return std::move(*answer);
}

}  // namespace

TEST_CASE("a probe finds what the embedded node speaks on its two ports") {
  Stage stage;
  for (const bool rpc : {false, true}) {
    std::promise<ProbeReport> told;
    probe_gateway(*stage.http, rpc ? stage.rpc : stage.gateway,
                  [&](ProbeReport report) { told.set_value(std::move(report)); });
    const ProbeReport report = told.get_future().get();
    CHECK(report.reachable);
    CHECK(report.dialects.trustless == !rpc);
    CHECK(report.dialects.routing == !rpc);
    CHECK(report.dialects.rpc == rpc);
  }
}

TEST_CASE(
    "S1-11: content that is imported by RPC comes back whole from the gateway, also after a "
    "restart") {
  test::TempDir dir;
  const File file = file_of(40);
  const auto read_back = [&](Stage& stage) {
    const HttpAnswer answer =
        must(stage.http->fetch(car_call(stage.gateway, file.root, {}, 64 << 20)));
    REQUIRE(check_car_head(answer.head));
    std::vector<Cid> seen;
    sync::CarReader reader([&](const sync::CarSection& section) {
      seen.push_back(section.cid);
      return Status{};
    });
    CHECK(reader.feed(answer.body));
    CHECK(reader.finish());
    CHECK(seen.size() == file.blocks.size());
  };
  {
    Stage stage({.directory = dir.path()});
    const auto roots = read_kubo_dag_import(
        must(stage.http->fetch(kubo_dag_import_call(stage.rpc, file.car(), true))));
    REQUIRE(roots);
    REQUIRE(roots->size() == 1);
    CHECK(roots->front().cid == file.root);
    CHECK(roots->front().pin_error.empty());
    read_back(stage);
  }
  Stage again({.directory = dir.path()});
  read_back(again);
  const auto& [cid, block] = file.blocks.back();
  CHECK(*read_raw_block(cid, must(again.http->fetch(raw_block_call(again.gateway, cid)))) == block);
  CHECK(*read_kubo_block_get(must(again.http->fetch(kubo_block_get_call(again.rpc, cid, true)))) ==
        block);
}

TEST_CASE("S1-18: a record that is put one way can be read every way") {
  Stage stage;
  const auto key = *sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
  const auto eol = sync::Eol::after(system_now().wall, std::chrono::hours(1));
  const auto first =
      sync::create_record(key, {.value = "/ipfs/bafkqaaa", .sequence = {1}, .eol = eol})->bytes();
  const auto second =
      sync::create_record(key, {.value = "/ipfs/bafkqaaa", .sequence = {2}, .eol = eol})->bytes();
  CHECK(read_ipns_record(must(stage.http->fetch(routing_get_call(stage.gateway, key.name()))))
            .error()
            .code == Errc::not_found);
  CHECK(read_routing_put(
      must(stage.http->fetch(routing_put_call(stage.gateway, key.name(), first)))));
  CHECK(read_kubo_done(must(stage.http->fetch(kubo_name_put_call(stage.rpc, key.name(), second)))));
  CHECK_FALSE(
      read_kubo_done(must(stage.http->fetch(kubo_routing_put_call(stage.rpc, key.name(), first)))));
  CHECK_FALSE(read_routing_put(
      must(stage.http->fetch(routing_put_call(stage.gateway, key.name(), first)))));

  const auto by_routing =
      read_ipns_record(must(stage.http->fetch(routing_get_call(stage.gateway, key.name()))));
  REQUIRE(by_routing);
  CHECK(by_routing->record == second);
  const auto by_gateway =
      read_ipns_record(must(stage.http->fetch(ipns_record_call(stage.gateway, key.name()))));
  REQUIRE(by_gateway);
  CHECK(by_gateway->record == second);
  CHECK(*read_kubo_name_get(must(stage.http->fetch(kubo_name_get_call(stage.rpc, key.name())))) ==
        second);
  CHECK(*read_kubo_routing_get(
            must(stage.http->fetch(kubo_routing_get_call(stage.rpc, key.name())))) == second);
  const auto unchanged = read_ipns_record(
      must(stage.http->fetch(ipns_record_call(stage.gateway, key.name(), by_gateway->etag))));
  REQUIRE(unchanged);
  CHECK(unchanged->not_modified);
}

TEST_CASE("a node with listed writers takes their records and nobody else's, on both ports") {
  const auto make_key = [] {
    return *sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
  };
  const auto listed = make_key();
  const auto other = make_key();
  NodeOptions options;
  options.writers = {listed.name()};
  Stage stage(options);
  const auto record_of = [](const sync::IpnsKey& key, uint64_t sequence) {
    const auto eol = sync::Eol::after(system_now().wall, std::chrono::hours(1));
    return sync::create_record(key, {.value = "/ipfs/bafkqaaa", .sequence = {sequence}, .eol = eol})
        ->bytes();
  };
  const auto refused = [&](HttpCall call) {
    const auto answer = must(stage.http->fetch(std::move(call)));
    const std::string text(as_text(answer.body));
    INFO(text);
    CHECK(answer.head.status == 403);
    CHECK(text.find("listed names only") != std::string::npos);
    CHECK(text.find(other.name().to_string()) != std::string::npos);
  };
  refused(routing_put_call(stage.gateway, other.name(), record_of(other, 1)));
  refused(kubo_name_put_call(stage.rpc, other.name(), record_of(other, 1)));
  refused(kubo_routing_put_call(stage.rpc, other.name(), record_of(other, 1)));
  CHECK(read_ipns_record(must(stage.http->fetch(routing_get_call(stage.gateway, other.name()))))
            .error()
            .code == Errc::not_found);
  // A listed name does not let a stranger's record in.
  CHECK_FALSE(read_routing_put(must(
      stage.http->fetch(routing_put_call(stage.gateway, listed.name(), record_of(other, 1))))));
  CHECK(read_routing_put(must(
      stage.http->fetch(routing_put_call(stage.gateway, listed.name(), record_of(listed, 1))))));
  CHECK(read_kubo_done(
      must(stage.http->fetch(kubo_name_put_call(stage.rpc, listed.name(), record_of(listed, 2))))));
  CHECK(read_kubo_done(must(
      stage.http->fetch(kubo_routing_put_call(stage.rpc, listed.name(), record_of(listed, 3))))));
}

TEST_CASE("R20: a CAR with a hole is cut, so that no client can take it for whole") {
  Stage stage;
  File file = file_of(3);
  file.blocks.pop_back();
  REQUIRE(read_kubo_dag_import(
      must(stage.http->fetch(kubo_dag_import_call(stage.rpc, file.car(), false)))));
  CHECK_FALSE(stage.http->fetch(car_call(stage.gateway, file.root, {}, 64 << 20)));
  // Chunked encoding ends with an empty chunk: here it must be missing.
  const std::string answer =
      test::raw_http(stage.port_of(stage.gateway),
                     "GET /ipfs/" + file.root.to_string() +
                         "?format=car HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(answer.find("\r\n0\r\n\r\n") == std::string::npos);
}

TEST_CASE("a web page is refused by the RPC and served by the gateway") {
  Stage stage;
  const auto status = [&](const Endpoint& endpoint, const std::string& method,
                          const std::string& path) {
    return test::raw_http(stage.port_of(endpoint),
                          method + " " + path +
                              " HTTP/1.1\r\nHost: x\r\nOrigin: http://page.example\r\n"
                              "Content-Length: 0\r\nConnection: close\r\n\r\n")
        .substr(0, 12);
  };
  CHECK(status(stage.rpc, "POST", "/api/v0/version") == "HTTP/1.1 403");
  CHECK(status(stage.gateway, "GET", "/ipfs/bafkqaaa?format=raw") == "HTTP/1.1 200");
}

TEST_CASE("R40: an import as long as the node's owner allows has room") {
  constexpr size_t kMegabyte = 1024 * 1024;
  Stage stage({.max_import_bytes = 120 * kMegabyte});
  const std::string body(110 * kMegabyte, 'x');
  const std::string answer = test::raw_http(
      stage.port_of(stage.rpc),
      "POST /api/v0/dag/import HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
      "multipart/form-data; boundary=b\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
  CHECK(answer.substr(0, 12) == "HTTP/1.1 400");  // for what it is, and not for its size
}

TEST_CASE("a node ends at once although a client has stopped reading") {
  Stage stage;
  const File file = file_of(60);
  REQUIRE(read_kubo_dag_import(
      must(stage.http->fetch(kubo_dag_import_call(stage.rpc, file.car(), true)))));
  HttpCall call = car_call(stage.gateway, file.root, {}, 64 << 20);
  std::promise<void> paused;
  std::promise<void> ended;
  bool told = false;
  HttpHandlers handlers;
  handlers.chunk = [&](ByteView) {
    if (!std::exchange(told, true)) paused.set_value();
    return false;
  };
  handlers.done = [&](Status, const HttpTimings&) { ended.set_value(); };
  stage.http->start(std::move(call), std::move(handlers));
  paused.get_future().get();
  stage.node.reset();
  stage.http->close();
  ended.get_future().get();
}
