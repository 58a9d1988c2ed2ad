#include "nostr/net/address_order.h"
#include "nostr/net/proxy_handshake.h"
#include "nostr/net/proxy_url.h"
#include "tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;

namespace {

using State = ProxyHandshake::State;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

}  // namespace

TEST_CASE("a proxy's URL is read strictly, and never shown with its password") {
  const auto url = ProxyUrl::parse("socks5h://me:p%40s%3As@proxy.example:9050");
  REQUIRE(url);
  CHECK(url->kind == ProxyKind::socks5);
  CHECK(url->host == "proxy.example");
  CHECK(url->port == 9050);
  CHECK(url->user == "me");
  CHECK(url->password == "p@s:s");
  CHECK(url->shown() == "socks5://proxy.example:9050");
  const auto http = ProxyUrl::parse("http://[::1]:3128/");
  REQUIRE(http);
  CHECK(http->kind == ProxyKind::http_connect);
  CHECK(http->shown() == "http://[::1]:3128");

  for (const char* bad :
       {"", "socks5://", "socks4://h:1", "https://h:1", "socks5://h", "socks5://h:0",
        "socks5://h:65536", "socks5://h:1x", "http://secret@@h:1", "http://u:sec%2ret@h:1",
        "http://:secret@h:1", "http://a%3ab:secret@h:1", "http://u:secret%0d%0aX@h:1",
        "http://[::1:1", "http://[nonsense]:1", "socks5://ho st:1", "h:1"}) {
    const auto refused = ProxyUrl::parse(bad);
    INFO(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("the handshake with a proxy takes no byte that is the relay's") {
  const auto url = *ProxyUrl::parse("socks5://127.0.0.1:9050");
  ProxyHandshake socks(url, "relay.example", 443);
  CHECK(socks.take_output() == bytes({5, 1, 0}));
  CHECK(socks.feed(bytes({5, 0})) == 2);
  CHECK(socks.take_output() == bytes({5, 1, 0, 3, 13}) + "relay.example" + bytes({1, 187}));
  const std::string answer = bytes({5, 0, 0, 4}) + std::string(16, 'x') + bytes({1, 2});
  CHECK(socks.feed(answer + "relay") == answer.size());
  CHECK(socks.state() == State::open);
  CHECK(socks.feed("more") == 0);

  ProxyHandshake http(*ProxyUrl::parse("http://127.0.0.1:1"), "::1", 8080);
  CHECK(http.take_output() == "CONNECT [::1]:8080 HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
  const std::string head = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 Fine\r\nA: b\r\n\r\n";
  CHECK(http.feed(head + "relay") == head.size());
  CHECK(http.state() == State::open);
}

TEST_CASE("addresses go to a SOCKS5 proxy as addresses, names as names") {
  const auto url = *ProxyUrl::parse("socks5://127.0.0.1:9050");
  const auto request_for = [&](const std::string& host) {
    ProxyHandshake handshake(url, host, 80);
    (void)handshake.take_output();
    handshake.feed(bytes({5, 0}));
    return handshake.take_output();
  };
  CHECK(request_for("1.2.3.4") == bytes({5, 1, 0, 1, 1, 2, 3, 4, 0, 80}));
  CHECK(request_for("::1") == bytes({5, 1, 0, 4}) + std::string(15, '\0') + bytes({1, 0, 80}));
  ProxyHandshake too_long(url, std::string(256, 'a'), 80);
  CHECK(too_long.state() == State::failed);
}

TEST_CASE("families take turns, beginning with the resolver's first choice") {
  using List = std::vector<std::string>;
  CHECK(families_taking_turns({"::1", "::2", "::3", "1.1.1.1"}) ==
        List{"::1", "1.1.1.1", "::2", "::3"});
  CHECK(families_taking_turns({"1.1.1.1", "2.2.2.2", "::1"}) == List{"1.1.1.1", "::1", "2.2.2.2"});
  CHECK(families_taking_turns({}).empty());
}
