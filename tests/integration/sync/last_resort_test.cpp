// Content that no gateway gives in a form made for verifying, or that none of them has.
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"
#include "ipnscast/tests/integration/sync/fetch_fixture.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

std::string content(size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += std::to_string(i) + ",";
  out.resize(size);
  return out;
}

Cid pack(const std::string& bytes, BlockTable& table) {
  TableSink sink(table);
  FilePacker packer(kKubo256k, sink);
  REQUIRE(packer.write(as_bytes(bytes)));
  return packer.finish()->cid;
}

// Answers /ipfs/CID with a file's bytes whatever format is asked for, as js-ipfs does.
ScriptedHttpServer::Script plain_files(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.target.rfind("/ipfs/", 0) != 0) return {.status = 404};
    const auto it = files.find(request.target.substr(6, request.target.find('?') - 6));
    if (it == files.end())
      return {.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "none"};
    return {.headers = {{"Content-Type", "text/plain"}}, .body = it->second};
  };
}

// Has nothing, and names that server for everything.
ScriptedHttpServer::Script router_to(const std::string& url) {
  const std::string port = url.substr(url.rfind(':') + 1);
  return [port](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.target.rfind("/routing/v1/providers/", 0) != 0)
      return {.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "none"};
    return {.headers = {{"Content-Type", "application/json"}},
            .body = R"({"Providers":[{"Schema":"peer","ID":"12D3","Protocols":)"
                    R"(["transport-ipfs-gateway-http"],"Addrs":["/ip4/127.0.0.1/tcp/)" +
                    port + R"(/http"]}]})"};
  };
}

}  // namespace

TEST_CASE(
    "a file comes from a gateway that knows no verifiable format, once packing it proves it") {
  BlockTable packed;
  const std::string file = content(1'300'000);
  const Cid root = pack(file, packed);
  const Cid leaf = packed.add_raw("a leaf");
  ScriptedHttpServer server(plain_files({{root.to_string(), file}, {leaf.to_string(), "a leaf"}}));
  Fixture fixture({server.url()});
  const auto fetched = fixture.fetcher.fetch_now(root, kPatient);
  REQUIRE(fetched);
  CHECK(fixture.whole(root));
  REQUIRE(fixture.fetcher.fetch_now(leaf, kPatient));
  CHECK(fixture.whole(leaf));
}

TEST_CASE("plain bytes that do not make the CID are never taken (R20)") {
  BlockTable packed;
  std::string file = content(600'000);
  const Cid root = pack(file, packed);
  file[500'000] ^= 1;
  const Cid leaf = packed.add_raw("a leaf");
  const Cid directory = packed.add_node({leaf}, "x");
  ScriptedHttpServer server(plain_files({{root.to_string(), file},
                                         {leaf.to_string(), "another leaf"},
                                         {directory.to_string(), "<html>a listing</html>"}}));
  Fixture fixture({server.url()});
  for (const Cid& cid : {root, leaf, directory}) {
    CHECK_FALSE(fixture.fetcher.fetch_now(cid, kPatient));
    CHECK_FALSE(fixture.cache->has(cid));
  }
}

TEST_CASE("a gateway with verifiable formats is never asked for plain files") {
  BlockTable table;
  const Cid root = table.add_tree(3, 100, 1);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url()});
  fixture.book.set_dialects(0, {.trustless = true, .path = true});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK_FALSE(fixture.fetcher.fetch_now(*make_cid(Codec::raw, as_bytes("absent")), kPatient));
  for (const ScriptedRequest& request : server.requests())
    CHECK(request.target.find("format=") != std::string::npos);
}

TEST_CASE("what no gateway has is fetched from whom a router names, when that is allowed") {
  BlockTable table;
  const Cid root = table.add_tree(4, 500, 2);
  ScriptedHttpServer provider(gateway_script(table));
  ScriptedHttpServer router(router_to(provider.url()));
  Fixture fixture({router.url()});
  Fetcher fetcher(*fixture.http, fixture.book, *fixture.cache,
                  {.providers = gateway::ProviderHosts::any});
  const auto fetched = fetcher.fetch_now(root, kPatient);
  REQUIRE(fetched);
  CHECK(fixture.whole(root));
  CHECK(fetched->blocks_by_gateway.count(provider.url()) == 1);
  CHECK(router.count("/routing/v1/providers/" + root.to_string()) == 1);
}

TEST_CASE("only what the gateways lack is asked of a provider") {
  BlockTable table;
  const Cid root = table.add_tree(4, 500, 3);
  BlockTable half = table;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 4; ++j) {
      std::string leaf = "3/" + std::to_string(i) + "/" + std::to_string(j) + "/";
      leaf.resize(500, 'x');
      half.remove(*make_cid(Codec::raw, as_bytes(leaf)));
    }
  }
  ScriptedHttpServer provider(gateway_script(table));
  const auto routing = router_to(provider.url());
  const auto blocks = gateway_script(half);
  ScriptedHttpServer first([&](const ScriptedRequest& request) {
    return request.target.rfind("/routing/", 0) == 0 ? routing(request) : blocks(request);
  });
  Fixture fixture({first.url()});
  Fetcher fetcher(*fixture.http, fixture.book, *fixture.cache,
                  {.providers = gateway::ProviderHosts::any});
  const auto fetched = fetcher.fetch_now(root, kPatient);
  REQUIRE(fetched);
  CHECK(fixture.whole(root));
  CHECK(fetched->blocks == 8);  // of 21
}

TEST_CASE("a router cannot send us to a loopback address, nor when nobody is to be asked") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 4);
  ScriptedHttpServer provider(gateway_script(table));
  ScriptedHttpServer router(router_to(provider.url()));
  for (const auto hosts : {gateway::ProviderHosts::public_only, gateway::ProviderHosts::none}) {
    Fixture fixture({router.url()});
    Fetcher fetcher(*fixture.http, fixture.book, *fixture.cache, {.providers = hosts});
    const auto fetched = fetcher.fetch_now(root, kPatient);
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().code == Errc::not_found);
  }
  CHECK(provider.connections() == 0);
}

TEST_CASE("content that is at fault itself sends nobody to look for it elsewhere") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 5);
  const auto routing = router_to("http://127.0.0.1:1");
  const auto blocks = gateway_script(table);
  ScriptedHttpServer server([&](const ScriptedRequest& request) {
    return request.target.rfind("/routing/", 0) == 0 ? routing(request) : blocks(request);
  });
  Fixture fixture({server.url()});
  Fetcher fetcher(*fixture.http, fixture.book, *fixture.cache,
                  {.providers = gateway::ProviderHosts::any});
  FetchOptions options = kPatient;
  options.scope.path = "nowhere";
  CHECK_FALSE(fetcher.fetch_now(root, options));
  CHECK(server.count("/routing/") == 0);
}

TEST_CASE(
    "of many public gateways the one that has it at hand is asked, not those that would search") {
  BlockTable table;
  const Cid root = table.add_tree(3, 200, 6);
  const auto searching = [](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.method == "HEAD") return {.status = 412};
    return {.delay = Seconds(60)};
  };
  const auto has_it = gateway_script(table);
  std::vector<std::unique_ptr<ScriptedHttpServer>> servers;
  std::vector<gateway::GatewayBook::Entry> entries;
  for (int i = 0; i < 5; ++i) {
    servers.push_back(i == 3 ? std::make_unique<ScriptedHttpServer>(has_it)
                             : std::make_unique<ScriptedHttpServer>(searching));
    entries.push_back({{servers.back()->url(), {}}, 2});
  }
  Fixture fixture({});
  gateway::GatewayBook book(entries);
  Fetcher fetcher(*fixture.http, book, *fixture.cache, {.cache_probe = Seconds(20)});
  FetchOptions options = kPatient;
  options.hedge = Milliseconds(20'000);
  REQUIRE(fetcher.fetch_now(root, options));
  CHECK(fixture.whole(root));
  for (size_t i = 0; i < servers.size(); ++i) {
    for (const ScriptedRequest& request : servers[i]->requests()) {
      const bool asked_only = request.method == "HEAD";
      if (i != 3) CHECK(asked_only);
      if (asked_only) CHECK(request.headers.at("cache-control") == "only-if-cached");
    }
  }
}

TEST_CASE("own nodes, and a few gateways, are asked at once, without a question before") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 7);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url(), server.url(), server.url(), server.url(), server.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  for (const ScriptedRequest& request : server.requests()) CHECK(request.method == "GET");
}
