#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/nip/nip11.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

std::string normal(std::string_view text) {
  const auto url = RelayUrl::parse(text);
  return url ? url->text() : "";
}

}  // namespace

TEST_CASE("two spellings of one relay are one relay") {
  CHECK(normal("WSS://Relay.Example.COM:443/") == "wss://relay.example.com");
  CHECK(normal("ws://relay.example:80") == "ws://relay.example");
  CHECK(normal("ws://relay.example:443") == "ws://relay.example:443");
  CHECK(normal("wss://relay.example/Path/?a=B") == "wss://relay.example/Path/?a=B");
  CHECK(normal("wss://relay.example?a=b") == "wss://relay.example/?a=b");
  CHECK(normal("ws://[0:0::1]:7777/") == "ws://[::1]:7777");
  CHECK(normal("ws://127.0.0.1:7777") == "ws://127.0.0.1:7777");

  const auto url = *RelayUrl::parse("wss://[2001:DB8::1]/x");
  CHECK(url.tls());
  CHECK(url.host() == "2001:db8::1");
  CHECK(url.port() == 443);
  CHECK(url.path() == "/x");
  CHECK(*RelayUrl::parse("wss://a") == *RelayUrl::parse("wss://A:443/"));
}

TEST_CASE("what is no relay's address is refused") {
  for (const char* text :
       {"", "relay.example", "http://relay.example", "wss://", "wss:///x",
        "wss://user@relay.example", "wss://relay.example/#x", "wss://relay.example:0",
        "wss://relay.example:65536", "wss://relay.example:x", "wss://[::1", "wss://[xx]",
        "wss://[::1]x", "wss://re lay.example", "wss://r\xc3\xa9lay.example", "wss://a\r\nb",
        "wss://a_b!"}) {
    INFO(text);
    CHECK(RelayUrl::parse(text).error().code == Errc::invalid);
  }
  CHECK_FALSE(RelayUrl::parse("wss://" + std::string(3000, 'a')));
}

TEST_CASE("an AUTH event is good for one relay, one challenge and ten minutes") {
  const auto relay = *RelayUrl::parse("wss://relay.example");
  const std::vector<RelayUrl> own = {*RelayUrl::parse("ws://127.0.0.1:7777"), relay};
  const UnixSeconds now{1700000000};
  const std::string challenge = make_auth_challenge();
  CHECK(challenge != make_auth_challenge());
  const Event event = sign_event(SecretKey::generate(), auth_event(relay, challenge, now));
  CHECK(event.kind == 22242);
  CHECK(check_auth_event(event, own, challenge, now));
  CHECK(check_auth_event(event, own, challenge, {now.value + 600}));
  CHECK(check_auth_event(event, own, challenge, {now.value + 601}).error().code == Errc::expired);
  CHECK(check_auth_event(event, own, challenge, {now.value - 601}).error().code == Errc::expired);
  CHECK(check_auth_event(event, own, "other", now).error().code == Errc::mismatch);
  CHECK(check_auth_event(event, own, "", now).error().code == Errc::mismatch);
  CHECK(check_auth_event(event, std::vector{own[0]}, challenge, now).error().code ==
        Errc::mismatch);
  Event other = event;
  other.kind = 1;
  CHECK(check_auth_event(other, own, challenge, now).error().code == Errc::mismatch);
}

TEST_CASE("a relay's information is read as far as it makes sense") {
  const auto about = parse_relay_information(
      R"({"name":"r","supported_nips":[1,11,"x",-1,70000],"self":")" + std::string(64, 'a') +
      R"(","pubkey":7,"limitation":{"max_message_length":65536,"max_limit":"5","default_limit":-1,"auth_required":true,)"
      R"("max_subscriptions":2.5,"created_at_upper_limit":900},"unknown":{"x":[]}})");
  REQUIRE(about);
  CHECK(about->name == "r");
  CHECK(about->supported_nips == std::vector<int>{1, 11});
  CHECK(about->self);
  CHECK_FALSE(about->pubkey);
  CHECK(about->max_message_length == 65536u);
  CHECK_FALSE(about->max_limit);
  CHECK_FALSE(about->default_limit);
  CHECK_FALSE(about->max_subscriptions);
  CHECK(about->created_at_upper_limit == 900u);
  CHECK(about->auth_required);
  CHECK_FALSE(about->payment_required);
  CHECK(parse_relay_information("{}"));
  CHECK(parse_relay_information("[]").error().code == Errc::parse);
  CHECK(parse_relay_information("<html>").error().code == Errc::parse);
  CHECK(parse_relay_information(std::string(70000, ' ')).error().code == Errc::too_large);
}
