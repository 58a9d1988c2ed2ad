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

TEST_CASE("behind a proxy, nothing that others name is looked up or reached around it (R39)") {
  ScriptedHttpServer proxy(redirect);  // gets whole URLs, and answers for every host
  const ProxyVariables variables{{"ALL_PROXY", proxy.url()}};
  auto http = client();
  const std::string gateway = "http://gateway.example/?to=";
  SECTION("names are refused, with words about what to do") {
    for (HttpCall call : {HttpCall{.url = gateway + "http://other.invalid/here"},
                          HttpCall{.url = gateway + "http://gateway.example.invalid/here"},
                          HttpCall{.url = "http://other.invalid/", .named_by = NamedBy::others}}) {
      INFO(call.url);
      const auto answer = http->fetch(call);
      REQUIRE_FALSE(answer);
      CHECK(answer.error().code == Errc::refused);
      CHECK(answer.error().message.find("NO_PROXY") != std::string::npos);
    }
    CHECK(proxy.count("here") == 2);  // of the two redirects themselves
    CHECK(proxy.requests().size() == 2);
  }
  SECTION("public addresses, and the subdomains of the gateway, are asked for at the proxy") {
    for (const std::string to : {"http://1.1.1.1/here", "http://bafy.ipfs.gateway.example/here"}) {
      INFO(to);
      const auto answer = http->fetch({.url = gateway + to});
      REQUIRE(answer);
      CHECK(as_text(answer->body) == "here");
      CHECK(proxy.requests().back().target == to);
    }
    CHECK(http->fetch({.url = "http://1.1.1.1/there", .named_by = NamedBy::others}));
    CHECK(proxy.requests().back().target == "http://1.1.1.1/there");
  }
  SECTION("private addresses are neither asked for at the proxy nor connected to") {
    Trap trap;
    for (const std::string host : {"127.0.0.1", "localhost", "a.localhost"}) {
      INFO(host);
      const auto answer = http->fetch({.url = gateway + "http://" + host + ":" + trap.port()});
      REQUIRE_FALSE(answer);
      CHECK(answer.error().code == Errc::refused);
    }
    CHECK(trap.caught() == 0);
    CHECK(proxy.requests().size() == 3);
  }
}

TEST_CASE("a gateway at home whose address alone is kept from the proxy may lead to localhost") {
  ScriptedHttpServer gateway(redirect);
  Trap proxy;
  const ProxyVariables variables{{"http_proxy", "http://127.0.0.1:" + proxy.port()},
                                 {"NO_PROXY", "127.0.0.1"}};
  const auto answer = client()->fetch(
      {.url = gateway.url() + "/?to=http://bafy.ipfs.localhost" + port_of(gateway) + "/here"});
  REQUIRE(answer);
  CHECK(as_text(answer->body) == "here");
  CHECK(proxy.caught() == 0);
}
