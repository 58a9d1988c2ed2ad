#include "ipnscast/nostr/nip/nip65.h"

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/nip/nip70.h"
#include "ipnscast/tests/support/catch.h"

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

TEST_CASE("a stranger's relay list leads to no private address (R39)") {
  std::vector<RelayUrl> listed;
  for (const char* text : {"ws://public.example", "wss://192.168.1.1", "ws://127.0.0.1:7778",
                           "wss://a.example", "wss://a.example/", "wss://b.example",
                           "wss://c.example:8443", "wss://d.example/path", "wss://e.example"}) {
    listed.push_back(*RelayUrl::parse_foreign(text));
  }
  CHECK(usable_relays(listed, {}) ==
        std::vector<RelayUrl>{url("wss://a.example"), url("wss://b.example"),
                              url("wss://c.example:8443"), url("wss://d.example/path")});
  // One that is ours is no stranger's idea; what else is on its host is.
  const auto ours = usable_relays(listed, {url("ws://127.0.0.1:7778/inbox")});
  CHECK(ours.front() == url("ws://127.0.0.1:7778"));
  CHECK(ours.front().named_by() == NamedBy::configuration);
  CHECK(ours.back().named_by() == NamedBy::others);
  CHECK(usable_relays(listed, {url("ws://127.0.0.1:7777")}).front() == url("wss://a.example"));
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
