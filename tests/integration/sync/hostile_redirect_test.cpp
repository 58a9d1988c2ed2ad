// What a gateway that we are configured to ask makes of us by its redirects.
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/trap.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;
using ipnscast::test::Trap;

namespace {

constexpr int kRedirects[] = {301, 302, 303, 307, 308};

std::unique_ptr<HttpClient> client() { return std::move(*HttpClient::open()); }

// Answers with the redirect that the query names: "/?302=http://...".
ScriptedAnswer redirect(const ScriptedRequest& request) {
  if (request.target.size() < 6 || request.target[1] != '?')
    return {.headers = {{"X-Seen", request.headers.contains("authorization") ? "secret" : ""}},
            .body = "here"};
  return {.status = std::stoi(request.target.substr(2, 3)),
          .headers = {{"Location", request.target.substr(6)}},
          .body = "moved"};
}

std::string asking(const ScriptedHttpServer& server, int status, const std::string& location) {
  return server.url() + "/?" + std::to_string(status) + "=" + location;
}

std::string port_of(const ScriptedHttpServer& server) {
  return server.url().substr(server.url().rfind(':'));
}

}  // namespace

TEST_CASE("a gateway's redirect opens no connection inside the own network (R39)") {
  ScriptedHttpServer gateway(redirect);
  Trap four("127.0.0.1");
  Trap six("::1", four.port_number());
  auto http = client();
  for (const int status : kRedirects) {
    for (const char* method : {"GET", "HEAD"}) {
      for (const std::string host :
           {"127.0.0.1", "localhost", "a.localhost", "127.1", "0x7f000001", "2130706433",
            "0177.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
            "user:pass@127.0.0.1", "127.0.0.1.", "127%2e0.0.1"}) {
        INFO(method << ' ' << status << ' ' << host);
        const auto answer = http->fetch(
            {.method = method,
             .url = asking(gateway, status, "http://" + host + ":" + four.port() + "/api/v0/x")});
        REQUIRE_FALSE(answer);
        // "127.0.0.1." is a name, for which the machine's resolver may have no answer in time.
        CHECK((answer.error().code == Errc::refused || answer.error().code == Errc::unreachable ||
               answer.error().code == Errc::invalid || answer.error().code == Errc::timeout));
      }
    }
  }
  CHECK(four.caught() == 0);
  CHECK(six.caught() == 0);
}

TEST_CASE("nobody is sent elsewhere with what he writes, not even within the gateway (R39)") {
  ScriptedHttpServer gateway(redirect);
  ScriptedHttpServer node([](const ScriptedRequest&) { return ScriptedAnswer{.body = "pinned"}; });
  auto http = client();
  for (const int status : kRedirects) {
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
      for (const std::string& to : {node.url() + "/api/v0/pin/rm", gateway.url() + "/elsewhere"}) {
        INFO(method << ' ' << status << ' ' << to);
        const auto answer =
            http->fetch({.method = method,
                         .url = asking(gateway, status, to),
                         .body = std::make_shared<const Bytes>(to_bytes(std::string_view("x")))});
        REQUIRE(answer);
        CHECK(answer->head.status == status);
        const Status judged = check_status(*answer);
        REQUIRE_FALSE(judged);
        CHECK(judged.error().code == Errc::refused);
        CHECK(judged.error().message.find('"' + to + '"') != std::string::npos);
      }
    }
  }
  CHECK(node.connections() == 0);
  for (const ScriptedRequest& request : gateway.requests()) CHECK(request.target != "/elsewhere");
}

TEST_CASE("another gateway of ours is not asked because a gateway says so (R39)") {
  ScriptedHttpServer gateway(redirect);
  ScriptedHttpServer own([](const ScriptedRequest&) { return ScriptedAnswer{.body = "own"}; });
  auto http = client();
  REQUIRE(http->fetch({.url = own.url()}));  // a connection that stays open
  const size_t before = own.requests().size();
  for (const int status : kRedirects) {
    const auto answer = http->fetch({.url = asking(gateway, status, own.url() + "/secret")});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::refused);
    CHECK(answer.error().message.find("127.0.0.1 is not a public address") != std::string::npos);
  }
  CHECK(own.requests().size() == before);
}

TEST_CASE("a connection to a gateway of ours is not lent to whom a redirect sends there (R39)") {
  ScriptedHttpServer gateway(redirect);
  ScriptedHttpServer own([](const ScriptedRequest&) { return ScriptedAnswer{.body = "own"}; });
  auto http = client();
  const std::string by_name = "http://localhost" + port_of(own);
  for (int i = 0; i < 3; ++i) {
    INFO(i);
    REQUIRE(http->fetch({.url = by_name + "/ours"}));  // a connection that stays open
    const auto sent = http->fetch({.url = asking(gateway, 302, by_name + "/secret")});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Errc::refused);
    CHECK(sent.error().message.find("is not a public address") != std::string::npos);
    const auto named = http->fetch({.url = by_name + "/secret", .named_by = NamedBy::others});
    REQUIRE_FALSE(named);
    CHECK(named.error().code == Errc::refused);
  }
  CHECK(own.count("/secret") == 0);
  CHECK(own.requests().size() == 3);
}

TEST_CASE("what a redirect leads to is asked over a connection that is open already") {
  ScriptedHttpServer gateway(redirect);
  auto http = client();
  const std::string there = "http://bafy.ipfs.localhost" + port_of(gateway) + "/here";
  for (int i = 0; i < 20; ++i) {
    INFO(i);
    const auto answer = http->fetch({.url = asking(gateway, 302, there)});
    REQUIRE(answer);
    CHECK(as_text(answer->body) == "here");
  }
  // Two names, a connection each.
  CHECK(gateway.connections() == 2);
}

TEST_CASE("a gateway's redirects within itself are followed, with the authorization") {
  ScriptedHttpServer gateway(redirect);
  auto http = client();
  for (const int status : kRedirects) {
    for (const std::string& to : {std::string("/here"), gateway.url() + "/here"}) {
      const auto answer = http->fetch(
          {.url = asking(gateway, status, to), .headers = {{"Authorization", "Bearer secret"}}});
      REQUIRE(answer);
      CHECK(as_text(answer->body) == "here");
      CHECK(answer->head.url == gateway.url() + "/here");
      CHECK(answer->head.header("x-seen") == "secret");
    }
  }
}

TEST_CASE("a gateway at home may lead to its other names, which do not get the authorization") {
  ScriptedHttpServer gateway(redirect);
  auto http = client();
  // As Kubo does it for subdomains: another host, the same address and port.
  for (const std::string host : {"localhost", "bafy.ipfs.localhost"}) {
    INFO(host);
    const auto answer =
        http->fetch({.url = asking(gateway, 301, "http://" + host + port_of(gateway) + "/here"),
                     .headers = {{"Authorization", "Bearer secret"}}});
    REQUIRE(answer);
    CHECK(as_text(answer->body) == "here");
    CHECK(answer->head.header("x-seen").empty());
  }
  // Nor does the gateway when another one chose what is asked of it.
  const auto back = http->fetch(
      {.url = asking(gateway, 302,
                     "http://localhost" + port_of(gateway) + "/?302=" + gateway.url() + "/here"),
       .headers = {{"Authorization", "Bearer secret"}}});
  REQUIRE(back);
  CHECK(back->head.header("x-seen").empty());
}

TEST_CASE("a redirect without end, in words or in number, is given up") {
  ScriptedHttpServer gateway([](const ScriptedRequest& request) {
    ScriptedAnswer answer{.status = 302, .headers = {{"Location", "/again"}}, .body = "x"};
    if (request.target == "/words") answer.body.assign(1'000'000, 'x');
    return answer;
  });
  auto http = client();
  const auto loop = http->fetch({.url = gateway.url() + "/loop"});
  REQUIRE_FALSE(loop);
  CHECK(loop.error().code == Errc::refused);
  CHECK(gateway.count("/again") == 5);
  const auto words = http->fetch({.url = gateway.url() + "/words"});
  REQUIRE_FALSE(words);
  CHECK(words.error().code == Errc::too_large);
}

TEST_CASE("an answer that only looks like a redirect is handed over as it is") {
  ScriptedHttpServer gateway([](const ScriptedRequest& request) {
    ScriptedAnswer answer{.status = request.target == "/304" ? 304 : 300, .body = ""};
    if (request.target == "/302") answer.status = 302;
    if (request.target != "/302") answer.headers = {{"Location", "http://127.0.0.1:1/"}};
    return answer;
  });
  auto http = client();
  for (const int status : {300, 302, 304}) {
    const auto answer = http->fetch({.url = gateway.url() + "/" + std::to_string(status)});
    REQUIRE(answer);
    CHECK(answer->head.status == status);
  }
}
