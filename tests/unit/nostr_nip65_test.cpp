#include "nostr/keys.h"
#include "nostr/nip65.h"
#include "nostr/nip70.h"
#include "tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

RelayUrl url(const std::string& text) { return *RelayUrl::parse(text); }

Event list_of(const SecretKey& key, int64_t at, std::vector<Tag> tags) {
  return sign_event(
      key, {.created_at = {at}, .kind = kRelayListKind, .tags = std::move(tags), .content = ""});
}

}  // namespace

TEST_CASE("a relay list says where its author writes and reads, and survives nonsense") {
  const SecretKey key = SecretKey::generate();
  const Event event = list_of(key, 1,
                              {{"r", "wss://both.example"},
                               {"r", "wss://write.example", "write"},
                               {"r", "wss://read.example", "read"},
                               {"r", "wss://WRITE.example/", "write"},
                               {"r", "wss://odd.example", "sometimes"},
                               {"r", "http://no.example"},
                               {"r"},
                               {},
                               {"p", "wss://other.example"}});
  const auto list = parse_relay_list(event);
  REQUIRE(list);
  CHECK(list->write ==
        std::vector<RelayUrl>{url("wss://both.example"), url("wss://write.example")});
  CHECK(list->read == std::vector<RelayUrl>{url("wss://both.example"), url("wss://read.example")});

  // Written and read again it is the same.
  const UnsignedEvent made = make_relay_list(*list, {2});
  const auto again = parse_relay_list(sign_event(key, made));
  CHECK(again->write == list->write);
  CHECK(again->read == list->read);
  CHECK(made.tags.size() == 3);

  Event other = event;
  other.kind = 10003;
  CHECK(parse_relay_list(other).error().code == Errc::mismatch);

  std::vector<Tag> many;
  for (int i = 0; i < 5000; ++i) many.push_back({"r", "wss://r" + std::to_string(i) + ".example"});
  CHECK(parse_relay_list(list_of(key, 1, many))->write.size() == kMaxListedRelays);
}

TEST_CASE("of several relay lists the author's newest counts, also when it is empty") {
  const SecretKey author = SecretKey::generate();
  const SecretKey stranger = SecretKey::generate();
  const std::vector<Tag> old_tags = {{"r", "wss://old.example"}};
  const std::vector<Tag> new_tags = {{"r", "wss://new.example"}};
  std::vector<Event> events = {list_of(author, 10, old_tags), list_of(author, 20, new_tags),
                               list_of(stranger, 30, old_tags)};
  events.push_back(sign_event(author, {.created_at = {40}, .kind = 1, .tags = old_tags}));
  const auto newest = newest_relay_list(events, author.public_key());
  REQUIRE(newest);
  CHECK(newest->write == std::vector<RelayUrl>{url("wss://new.example")});
  events.push_back(list_of(author, 50, {}));
  CHECK_FALSE(newest_relay_list(events, author.public_key()));
  CHECK_FALSE(newest_relay_list({}, author.public_key()));
}

TEST_CASE("a stranger's relay list leads to no private address") {
  for (const char* host :
       {"relay.example.com", "1.1.1.1", "2606:4700::1111", "a.b", "example.com."}) {
    INFO(host);
    CHECK(is_public_host(host));
  }
  for (const char* host :
       {"localhost",   "127.0.0.1",     "127.1",           "0x7f.1",      "2130706433",
        "10.1.2.3",    "172.16.0.1",    "172.31.255.255",  "192.168.1.1", "169.254.169.254",
        "100.64.0.1",  "0.0.0.0",       "255.255.255.255", "224.0.0.1",   "::1",
        "::",          "fe80::1",       "fd00::1",         "ff02::1",     "::ffff:127.0.0.1",
        "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1", "printer",     "nas.local",
        "a.internal",  "x.onion",       "a.localhost",     "localhost.",  ""}) {
    INFO(host);
    CHECK_FALSE(is_public_host(host));
  }
  CHECK(is_public_host("172.32.0.1"));
  CHECK(is_public_host("100.128.0.1"));
  CHECK(is_public_host("192.0.1.1"));

  const std::vector<RelayUrl> listed = {
      url("ws://public.example"),  url("wss://192.168.1.1"),    url("ws://127.0.0.1:7778"),
      url("wss://a.example"),      url("wss://a.example/"),     url("wss://b.example"),
      url("wss://c.example:8443"), url("wss://d.example/path"), url("wss://e.example")};
  CHECK(usable_relays(listed, {}) ==
        std::vector<RelayUrl>{url("wss://a.example"), url("wss://b.example"),
                              url("wss://c.example:8443"), url("wss://d.example/path")});
  CHECK(usable_relays(listed, {url("ws://127.0.0.1:7777")}).front() == url("ws://127.0.0.1:7778"));
}

TEST_CASE("NIP-70: an event is protected by one mark") {
  UnsignedEvent event{.created_at = {1}, .kind = 30078, .tags = {{"d", "-"}}, .content = ""};
  const SecretKey key = SecretKey::generate();
  CHECK_FALSE(is_protected(sign_event(key, event)));
  protect(event);
  protect(event);
  CHECK(event.tags == std::vector<Tag>{{"d", "-"}, {"-"}});
  CHECK(is_protected(sign_event(key, event)));
  event.tags = {{}};
  CHECK_FALSE(is_protected(sign_event(key, event)));
}
