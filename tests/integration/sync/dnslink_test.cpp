#include <algorithm>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/dnslink/txt_lookup.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/dns_server.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::dnslink;
using ipnscast::test::DnsServer;
using ipnscast::test::DnsZone;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

const DnsZone kZone{
    .texts = {{"_dnslink.docs.example.org",
               {"v=other",
                "dnslink=/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy/a"}}},
    .aliases = {{"_dnslink.www.example.org", "_dnslink.docs.example.org"}}};

// The question in ?dns=, answered from the zone.
ScriptedHttpServer::Script over_https(const DnsZone& zone) {
  return [zone](const ScriptedRequest& request) -> ScriptedAnswer {
    const size_t at = request.target.find("?dns=");
    if (at == std::string::npos) return {.status = 400};
    std::string text = request.target.substr(at + 5);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    while (text.size() % 4 != 0) text += '=';
    const auto question = from_base64(text, 1024);
    if (!question) return {.status = 400};
    return {.headers = {{"Content-Type", "application/dns-message"}},
            .body = std::string(as_text(zone.answer(*question)))};
  };
}

}  // namespace

TEST_CASE("the system's resolver brings a DNSLink, through an alias too") {
  DnsServer server(kZone);
  const TxtLookup lookup = system_lookup(Seconds(5), server.port());
  const auto found = follow("www.example.org", lookup);
  REQUIRE(found);
  REQUIRE(found->root);
  CHECK(found->path == "a");
  CHECK(found->ttl() == Seconds(300));
  CHECK(follow("none.example.org", lookup).error().code == Errc::not_found);
  CHECK(server.questions() == 2);
}

TEST_CASE("a DNS server that is not there costs bounded time") {
  uint16_t port = 0;
  {
    DnsServer gone(kZone);
    port = gone.port();
  }
  const auto found = follow("www.example.org", system_lookup(Milliseconds(1'000), port));
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::unreachable);
}

TEST_CASE("DNS over HTTPS gives the same, in questions that caches know again") {
  ScriptedHttpServer server(over_https(kZone));
  const auto http = *gateway::HttpClient::open();
  const auto lookup = https_lookup(*http, server.url() + "/dns-query", Seconds(5));
  REQUIRE(lookup);
  const auto found = follow("www.example.org", *lookup);
  REQUIRE(found);
  CHECK(found->root);
  CHECK(follow("none.example.org", *lookup).error().code == Errc::not_found);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].headers.at("accept") == "application/dns-message");
  CHECK(requests[0].target.find('=') == requests[0].target.rfind('='));  // no padding
  REQUIRE(follow("www.example.org", *lookup));
  CHECK(server.requests().at(2).target == requests[0].target);
}

TEST_CASE("a web page, an error and an answer to another question are no DNS answer") {
  const auto http = *gateway::HttpClient::open();
  const auto code = [&](const ScriptedHttpServer::Script& script) {
    ScriptedHttpServer server(script);
    return follow("www.example.org", *https_lookup(*http, server.url(), Seconds(5))).error().code;
  };
  CHECK(code([](const ScriptedRequest&) {
          return ScriptedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"};
        }) == Errc::mismatch);
  CHECK(code([](const ScriptedRequest&) { return ScriptedAnswer{.status = 500}; }) ==
        Errc::unreachable);
  CHECK(code([](const ScriptedRequest&) {
          return ScriptedAnswer{
              .headers = {{"Content-Type", "application/dns-message"}},
              .body = std::string(as_text(kZone.answer(*make_txt_query("_dnslink.x.org", 0))))};
        }) == Errc::mismatch);
}

TEST_CASE("DNS over plain HTTP is for loopback only") {
  const auto http = *gateway::HttpClient::open();
  for (const char* url : {"http://dns.example/q", "http://127.0.0.1.example/", "ftp://x", ""})
    CHECK_FALSE(https_lookup(*http, url, Seconds(1)));
  for (const char* url : {"https://dns.example/q", "http://127.0.0.1:80/q", "http://[::1]"})
    CHECK(https_lookup(*http, url, Seconds(1)));
}
