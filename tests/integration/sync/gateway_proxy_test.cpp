// What the proxy variables of the environment do to gateways and their redirects.
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/proxy_variables.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/trap.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;
using ipnscast::test::ProxyVariables;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;
using ipnscast::test::Trap;

namespace {

std::unique_ptr<HttpClient> client() { return std::move(*HttpClient::open()); }

// Answers "...?to=URL" with a redirect to that URL, and anything else with "here".
ScriptedAnswer redirect(const ScriptedRequest& request) {
  const size_t query = request.target.find("?to=");
  if (query == std::string::npos) return {.body = "here"};
  return {.status = 302, .headers = {{"Location", request.target.substr(query + 4)}}, .body = "x"};
}

std::string port_of(const ScriptedHttpServer& server) {
  return server.url().substr(server.url().rfind(':'));
}

}  // namespace

TEST_CASE("a gateway at home may lead to its other names also where a proxy is set for the rest") {
  ScriptedHttpServer gateway(redirect);
  Trap proxy;
  for (const char* direct : {"127.0.0.1,localhost", "127.0.0.0/8, .localhost"}) {
    const ProxyVariables variables{{"all_proxy", "http://127.0.0.1:" + proxy.port()},
                                   {"NO_PROXY", direct}};
    auto http = client();
    for (const std::string host : {"127.0.0.1", "localhost"}) {
      for (const std::string other : {"localhost", "bafy.ipfs.localhost"}) {
        INFO(direct << ": " << host << " to " << other);
        const auto answer =
            http->fetch({.url = "http://" + host + port_of(gateway) + "/?to=http://" + other +
                                port_of(gateway) + "/here"});
        REQUIRE(answer);
        CHECK(as_text(answer->body) == "here");
      }
    }
  }
  CHECK(proxy.caught() == 0);
}
