// gateway probe, status and domains as a user types them.
#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/inspection/inspection.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/dns_server.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::DnsZone;
using test::Ran;
using test::ScriptedAnswer;
using test::ScriptedHttpServer;
using test::ScriptedRequest;

// Answers the questions in ?dns= from a zone.
ScriptedHttpServer::Script over_https(DnsZone zone) {
  return [zone = std::move(zone)](const ScriptedRequest& request) -> ScriptedAnswer {
    std::string text = request.target.substr(request.target.find("?dns=") + 5);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    while (text.size() % 4 != 0) text += '=';
    return {.headers = {{"Content-Type", "application/dns-message"}},
            .body = std::string(as_text(zone.answer(*from_base64(text, 1024))))};
  };
}

// A node with a sample in it, and the program with a configuration that names the node.
struct World {
  World() {
    const auto http = *sync::gateway::HttpClient::open();
    sync::inspection::write(*http, {node->rpc_url(), {}}, sample, {.timeout = Seconds(10)});
  }
  Ran run(std::vector<std::string> arguments, const std::string& dns = {}) {
    Command command;
    command.argv = {test::program()};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {{"XDG_CONFIG_HOME", (home.path() / "config").string()},
                           {"XDG_STATE_HOME", (home.path() / "state").string()},
                           {"XDG_DATA_HOME", (home.path() / "data").string()},
                           {"XDG_CACHE_HOME", (home.path() / "cache").string()},
                           {"IPNSCAST_GATEWAYS_NODES", node->gateway_url()}};
    if (!dns.empty()) command.environment["IPNSCAST_RESOLVE_DNS"] = dns;
    return test::run(command, Seconds(60));
  }

  const test::TempDir home;
  const std::unique_ptr<nostr::net::Loop> loop = *nostr::net::Loop::start();
  const std::unique_ptr<bridge::Node> node =
      *bridge::Node::start(*loop, {.gateway_port = 0, .rpc_port = 0});
  const sync::inspection::Sample sample = sync::inspection::make_sample(system_now().wall);
};

}  // namespace

TEST_CASE("gateway probe tells what gateways do, line by line of JSON, and by its exit code") {
  World world;
  const Ran good =
      world.run({"gateway", "probe", "--json", world.node->gateway_url(), world.node->rpc_url()});
  INFO(good.out << good.err);
  REQUIRE(good.exit == 0);
  const json first = json::parse(good.out.substr(0, good.out.find('\n')));
  CHECK(first["url"] == world.node->gateway_url());
  CHECK(first["fit"] == true);
  CHECK(first["features"]["car"]["verified"] == true);
  CHECK(first["features"]["partial-car"]["verified"] == true);
  CHECK(first["features"]["routing-put"]["answer"] == "yes");
  CHECK(first["features"]["ipns-record"]["verified"] == true);
  CHECK(first["connection"]["http"] == "HTTP/1.1");
  const json second = json::parse(good.out.substr(good.out.find('\n') + 1));
  CHECK(second["features"]["rpc-import"]["answer"] == "yes");
  CHECK(second["features"]["rpc-block"]["verified"] == true);
  CHECK(first["features"]["preconditions"]["answer"] == "yes");
  CHECK(second["features"]["preconditions"]["answer"] == "yes");

  ScriptedHttpServer site([](const ScriptedRequest&) {
    return ScriptedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"};
  });
  const Ran bad = world.run({"gateway", "probe", site.url()});
  INFO(bad.out << bad.err);
  CHECK(bad.exit == 1);
  CHECK(bad.out.find("unfit as a source") != std::string::npos);
  const Ran none = world.run({"gateway", "probe", "--json", "http://127.0.0.1:1"});
  CHECK(none.exit == 3);
  CHECK(json::parse(none.out)["unreachable"].is_string());
}

TEST_CASE("gateway probe writes nothing when told so, and takes the configured gateways") {
  World world;
  std::mutex mutex;
  std::string methods;
  ScriptedHttpServer site([&](const ScriptedRequest& request) {
    std::lock_guard lock(mutex);
    methods += request.method + " " + request.target + "\n";
    return ScriptedAnswer{.status = 404, .headers = {{"Content-Type", "text/html"}}};
  });
  world.run({"gateway", "probe", "--read-only", site.url()});
  {
    std::lock_guard lock(mutex);
    CHECK(methods.find("PUT") == std::string::npos);
    CHECK(methods.find("import") == std::string::npos);
  }
  CHECK(world.run({"gateway", "probe", "--read-only", "--write"}).exit == 2);
  CHECK(world.run({"gateway", "probe", "--cid", "nonsense"}).exit == 2);
  const Ran configured =
      world.run({"gateway", "probe", "--json", "--read-only", "--cid",
                 world.sample.root.to_string(), "--name", world.sample.name.to_string()});
  INFO(configured.out << configured.err);
  CHECK(configured.exit == 0);
  const json report = json::parse(configured.out);
  CHECK(report["url"] == world.node->gateway_url());
  CHECK(report["features"]["ipns-record"]["verified"] == true);
}

TEST_CASE("a domain is resolved and its content fetched, and that DNS signs nothing is said") {
  World world;
  ScriptedHttpServer dns(over_https(
      {.texts = {
           {"_dnslink.name.example.org", {"dnslink=/ipns/" + world.sample.name.to_string()}},
           {"_dnslink.content.example.org", {"dnslink=/ipfs/" + world.sample.root.to_string()}},
           {"_dnslink.circle.example.org", {"dnslink=/ipns/circle.example.org"}}}}));
  const std::string at = dns.url() + "/dns-query";

  const Ran name = world.run({"resolve", "name.example.org", "--json"}, at);
  INFO(name.out << name.err);
  REQUIRE(name.exit == 0);
  const json resolved = json::parse(name.out);
  CHECK(resolved["name"] == world.sample.name.to_string());
  CHECK(resolved["value"] == "/ipfs/" + world.sample.root.to_string());
  CHECK(resolved["dnslink"][0]["signed"] == false);

  const Ran content = world.run({"resolve", "content.example.org"}, at);
  CHECK(content.exit == 0);
  CHECK(content.out.find("which nobody signs") != std::string::npos);
  CHECK(content.out.find("no record") != std::string::npos);

  for (const std::string domain : {"name.example.org", "/ipns/Content.Example.org."}) {
    const Ran got = world.run({"get", domain, "-o", "-"}, at);
    INFO(domain << got.err);
    CHECK(got.exit == 0);
    CHECK(got.out == as_text(world.sample.file));
  }
  CHECK(world.run({"resolve", "circle.example.org"}, at).exit == 1);
  CHECK(world.run({"resolve", "none.example.org"}, at).exit == 1);
  const Ran followed =
      world.run({"watch", "--once", "--records-only", "--json", "name.example.org"}, at);
  INFO(followed.out << followed.err);
  CHECK(followed.exit == 0);
  CHECK(followed.err.find("which nobody signs") != std::string::npos);
  // A key of ours can be named by a domain too; the sample's is none.
  const Ran publish =
      world.run({"publish", "name.example.org", "--cid", world.sample.root.to_string()}, at);
  CHECK(publish.exit == 1);
  CHECK(publish.err.find("none of our keys has the name") != std::string::npos);
  const Ran refused = world.run({"watch", "--once", "content.example.org"}, at);
  CHECK(refused.exit != 0);
  CHECK(refused.err.find("by DNS alone") != std::string::npos);
}

TEST_CASE("status shows what was learned of each gateway") {
  World world;
  REQUIRE(world.run({"resolve", world.sample.name.to_string()}).exit == 0);
  const Ran shown = world.run({"status", "--json"});
  INFO(shown.out << shown.err);
  REQUIRE(shown.exit == 0);
  const json gateways = json::parse(shown.out)["gateways"];
  REQUIRE(gateways.size() == 1);
  CHECK(gateways[0]["url"] == world.node->gateway_url());
  CHECK(gateways[0]["answers"] >= 0.9);
  CHECK(gateways[0]["lies"] == 0);
  CHECK(world.run({"status"}).out.find("gateway  " + world.node->gateway_url()) !=
        std::string::npos);
}

}  // namespace ipnscast
