// `gateway probe` against Kubo: it has to find what Kubo is known to do.
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast::test;
using nlohmann::json;

namespace {

Ran probe(std::vector<std::string> arguments) {
  static const TempDir home;
  arguments.insert(arguments.begin(), {"gateway", "probe", "--json"});
  Command command = our_program(std::move(arguments));
  command.environment = {{"XDG_CONFIG_HOME", home.path().string()},
                         {"XDG_STATE_HOME", home.path().string()},
                         {"XDG_DATA_HOME", home.path().string()}};
  return run(command, std::chrono::seconds(120));
}

}  // namespace

TEST_CASE("Kubo's gateway and RPC are found to do all that they do, each byte verified") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.ask({"config", "--json", "Gateway.ExposeRoutingAPI", "true"});
  kubo.start(true);
  const Ran ran = probe({kubo.gateway(), kubo.rpc()});
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 0);
  const json gateway = json::parse(ran.out.substr(0, ran.out.find('\n')));
  const json features = gateway["features"];
  CHECK(gateway["fit"] == true);
  for (const char* feature : {"raw", "car", "partial-car", "ipns-record", "path"}) {
    INFO(feature);
    CHECK(features[feature]["answer"] == "yes");
    CHECK(features[feature]["verified"] == true);
  }
  CHECK(features["etag"]["answer"] == "yes");
  CHECK(features["only-if-cached"]["answer"] == "yes");
  CHECK(features["routing"]["verified"] == true);
  CHECK(gateway["requests"] <= 20);

  const json rpc = json::parse(ran.out.substr(ran.out.find('\n') + 1));
  CHECK(rpc["fit"] == true);
  CHECK(rpc["rpc_version"].get<std::string>().find('.') != std::string::npos);
  CHECK(rpc["features"]["rpc-import"]["answer"] == "yes");
  CHECK(rpc["features"]["rpc-put"]["answer"] == "yes");
  CHECK(rpc["features"]["rpc-block"]["verified"] == true);
}

TEST_CASE("an RPC that wants authorization says so, and opens with what is configured") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.ask({"config", "--json", "API.Authorizations",
            R"({"us":{"AuthSecret":"bearer:token","AllowedPaths":["/api/v0"]}})"});
  kubo.start(true);
  const Ran closed = probe({"--read-only", kubo.rpc()});
  INFO(closed.out << closed.err);
  CHECK(closed.exit == 1);
  CHECK(json::parse(closed.out)["features"]["rpc"]["detail"] == "wants authorization");

  const TempDir home;
  const auto file = home.path() / "config.toml";
  std::ofstream(file) << "[gateways]\nnodes = [{url = \"" << kubo.rpc()
                      << "\", auth = \"Bearer token\"}]\n";
  const Ran open = probe({"--config", file.string()});
  INFO(open.out << open.err);
  CHECK(open.exit == 0);
  CHECK(json::parse(open.out)["features"]["rpc-import"]["answer"] == "yes");
  CHECK(json::parse(open.out)["features"]["rpc-block"]["verified"] == true);
}

TEST_CASE("Kubo is proved by what it has anyway when nothing is written to it") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.start(true);
  const Ran ran = probe({"--read-only", kubo.gateway()});
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 0);
  const json report = json::parse(ran.out);
  CHECK(report["features"]["raw"]["verified"] == true);
  CHECK(report["features"]["car"]["verified"] == true);
  CHECK(report["name"].is_null());
}
