#include <future>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/http/http_refusal.h"
#include "ipnscast/nostr/net/message/deflater.h"
#include "ipnscast/nostr/net/message/message_reader.h"
#include "ipnscast/nostr/net/sleep_detector.h"
#include "ipnscast/nostr/net/stream/address_order.h"
#include "ipnscast/nostr/net/stream/key_pins.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/nostr/net/stream/proxy_handshake.h"
#include "ipnscast/nostr/net/stream/proxy_url.h"
#include "ipnscast/tests/support/catch.h"

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

  for (const char* bad : {"",
                          "socks5h",
                          "http",
                          "socks5:/",
                          "socks5://",
                          "socks4://h:1",
                          "https://h:1",
                          "socks5://h",
                          "socks5://h:0",
                          "socks5://h:65536",
                          "socks5://h:1x",
                          "http://secret@@h:1",
                          "http://u:sec%2ret@h:1",
                          "http://:secret@h:1",
                          "http://a%3ab:secret@h:1",
                          "http://u:secret%0d%0aX@h:1",
                          "http://[::1:1",
                          "http://[nonsense]:1",
                          "socks5://ho st:1",
                          "h:1"}) {
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

TEST_CASE("key pins are read strictly, and a relay's own go before those for all") {
  const std::string one = "sha256/" + std::string(43, 'A') + "=";
  const std::string two = "sha256/" + std::string(42, 'B') + "A=";
  const auto relay = *ipnscast::nostr::RelayUrl::parse("wss://relay.example");
  const auto other = *ipnscast::nostr::RelayUrl::parse("wss://other.example");
  const auto pins = KeyPins::parse({one, "wss://Relay.example/ " + two});
  REQUIRE(pins);
  REQUIRE(pins->of(relay).size() == 1);
  CHECK(to_text(pins->of(relay)[0]) == two);
  CHECK(to_text(pins->of(other)[0]) == one);
  CHECK(KeyPins::parse({})->of(relay).empty());
  for (const char* bad : {"", "sha256/", "sha256/AAAA", "sha1/AAAA", "ws://a sha256/AAAA"}) {
    INFO(bad);
    CHECK_FALSE(KeyPins::parse({bad}));
  }
  CHECK_FALSE(KeyPins::parse({"ws://relay.example " + one}));
}

TEST_CASE("Retry-After is read as seconds and as a date, within a day") {
  const UnixMillis now{1'790'000'000'000};  // Mon, 21 Sep 2026 14:13:20 GMT
  CHECK(retry_after("120", now) == Milliseconds(120'000));
  CHECK(retry_after("Mon, 21 Sep 2026 14:14:20 GMT", now) == Milliseconds(60'000));
  CHECK(retry_after("Mon, 21 Sep 2020 14:14:20 GMT", now) == Milliseconds(0));
  CHECK(retry_after("999999999", now) == Milliseconds(86'400'000));
  for (const char* bad : {"", "-5", "soon", "12 s", "99999999999999999999"}) {
    CHECK(retry_after(bad, now) == Milliseconds(0));
  }
}

TEST_CASE("families take turns, beginning with the resolver's first choice") {
  using List = std::vector<std::string>;
  CHECK(families_taking_turns({"::1", "::2", "::3", "1.1.1.1"}) ==
        List{"::1", "1.1.1.1", "::2", "::3"});
  CHECK(families_taking_turns({"1.1.1.1", "2.2.2.2", "::1"}) == List{"1.1.1.1", "::1", "2.2.2.2"});
  CHECK(families_taking_turns({}).empty());
}

TEST_CASE("what is deflated is inflated again, in parts of any size") {
  Deflater deflater;
  Inflater inflater;
  Rng rng(7);
  for (const size_t size : {5, 100, 1023, 1024, 16384, 16385, 300000}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; i += 5) text[i] = static_cast<char>('a' + rng() % 26);
    const auto payload = deflater.message(text);
    if (!payload) continue;  // would not be shorter
    CHECK(payload->size() < text.size());
    for (const size_t part : {size_t{1}, size_t{13}, payload->size()}) {
      std::string out;
      for (size_t at = 0; at < payload->size(); at += part) {
        const bool last = at + part >= payload->size();
        REQUIRE(inflater.add(std::string_view(*payload).substr(at, part), last, size, out));
      }
      CHECK(out == text);
      std::string bounded;
      Inflater strict;
      const auto refused = strict.add(*payload, true, size - 1, bounded);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Errc::too_large);
      CHECK(bounded.size() < size);
    }
  }
}

TEST_CASE("messages stay whole across fragments, compressed and plain by turns") {
  MessageReader reader(1000);
  reader.agree_on_deflate();
  const std::string text(900, 'a');
  const std::string payload = *Deflater().message(text);
  const std::string_view view(payload);
  REQUIRE(reader.add({view.substr(0, 3), true, false, 0x40}));
  auto whole = reader.add({view.substr(3), false, true, 0});
  REQUIRE(whole);
  CHECK(**whole == text);
  CHECK(**reader.add({"plain", true, true, 0}) == "plain");
  CHECK_FALSE(reader.add({"x", true, true, 0x20}));
  CHECK_FALSE(reader.add({std::string(1001, 'x'), true, true, 0}));
  MessageReader without(10);
  CHECK(**without.add({"12345", true, true, 0}) == "12345");
}

TEST_CASE("an address is loopback by its bits, not by how its text begins") {
  for (const char* const host : {"127.0.0.1", "127.255.0.9", "::1", "localhost", "a.localhost"})
    CHECK(NameLookup::is_loopback(host));
  for (const char* const host : {"", "127.example", "127.0.0.1.example", "128.0.0.1", "0.0.0.0",
                                 "::", "::ffff:10.0.0.1", "[::1]", "1::1"})
    CHECK_FALSE(NameLookup::is_loopback(host));
}

TEST_CASE("localhost and what is below it is this machine, with no file to say so (RFC 6761)") {
  for (const char* const name :
       {"localhost", "LOCALHOST", "localhost.", "a.localhost", "A.B.LocalHost."})
    CHECK(NameLookup::is_localhost(name));
  for (const char* const name :
       {"", ".", "local", "xlocalhost", "mylocalhost", "localhosts", "localhost.example"})
    CHECK_FALSE(NameLookup::is_localhost(name));
  NameLookup names;
  const auto asker = std::make_shared<int>(0);
  std::promise<NameLookup::Found> answer;
  names.look_up("a.localhost", asker,
                [&](NameLookup::Found found) { answer.set_value(std::move(found)); });
  const NameLookup::Found found = answer.get_future().get();
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{"::1", "127.0.0.1"});
}

TEST_CASE("an onion name is known in any spelling, and never looked up (RFC 7686)") {
  for (const char* const name : {"relay.onion", "RELAY.Onion", "a.b.onion.", ".onion"})
    CHECK(NameLookup::is_onion(name));
  for (const char* const name : {"onion", "relay.onions", "relay.onion.example", "", "."})
    CHECK_FALSE(NameLookup::is_onion(name));
  NameLookup names;
  const auto asker = std::make_shared<int>();
  std::optional<NameLookup::Found> found;
  names.look_up("relay.onion", asker, [&](NameLookup::Found answer) { found = std::move(answer); });
  REQUIRE(found);  // at once: nobody was asked
  REQUIRE_FALSE(*found);
  CHECK(found->error().permanent);
}

TEST_CASE("sleep shows in the clocks, a busy machine and a clock set back do not") {
  SleepDetector detector;
  const auto at = [](int64_t monotonic, int64_t boottime, int64_t wall) {
    return SleepClocks{Milliseconds(monotonic), Milliseconds(boottime), Milliseconds(wall)};
  };
  CHECK(detector.tick(at(1000, 1000, 50'000)) == Milliseconds(0));
  CHECK(detector.tick(at(61'000, 61'000, 110'000)) == Milliseconds(0));  // busy for a minute
  CHECK(detector.tick(at(62'000, 3'662'000, 3'711'000)) == Milliseconds(3'600'000));
  CHECK(detector.tick(at(63'000, 3'663'000, 3'712'000)) == Milliseconds(0));
  CHECK(detector.tick(at(64'000, 3'664'000, 12'000)) == Milliseconds(0));       // set back
  CHECK(detector.tick(at(65'000, 3'665'000, 73'000)) == Milliseconds(60'000));  // paused
}
