#include "ipnscast/sync/hint/hint.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

const std::string kName = "k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq";
const std::string kBase58 = "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV";
const std::string kOtherName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";
const std::string kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const std::string kOtherCid = "bafkqaaa";

nostr::Event event_with(const std::string& content, const std::string& d = "ipns-sync-" + kName) {
  nostr::Event event;
  event.kind = kHintKind;
  event.created_at = {1'790'000'000};
  event.tags = {{"d", d}};
  event.content = content;
  return event;
}

std::string content_with(const std::string& sequence, const std::string& more = "") {
  return R"({"type":"ipns-sync","ipnsName":")" + kName + R"(","cid":")" + kCid +
         R"(","sequence":)" + sequence + R"(,"timestamp":1790000000000)" + more + "}";
}

}  // namespace

TEST_CASE("the first five content fields alone are a valid hint (S0-34, S0-49)") {
  const auto hint = parse_hint(event_with(content_with("\"42\"")));
  REQUIRE(hint);
  CHECK(hint->name.to_string() == kName);
  CHECK(hint->cid.to_string() == kCid);
  CHECK(hint->sequence == Sequence{42});
  CHECK(hint->timestamp == UnixMillis{1'790'000'000'000});
  CHECK(hint->record.empty());
  CHECK_FALSE(hint->faults.any());
}

TEST_CASE("a sequence comes as decimal string or integer, never as a float") {
  CHECK(parse_hint(event_with(content_with("7")))->sequence == Sequence{7});
  CHECK(parse_hint(event_with(content_with("9223372036854775807")))->sequence ==
        Sequence{kMaxSequence});
  for (const char* bad :
       {"1.0", "1e3", "-1", "\"\"", "\"-1\"", "\"1.0\"", "\" 1\"", "\"0x1\"", "true", "[1]"}) {
    INFO(bad);
    CHECK_FALSE(parse_hint(event_with(content_with(bad))));
  }
}

TEST_CASE("in a hint 0, null or absent means that the sequence is unknown (S0-44)") {
  CHECK_FALSE(parse_hint(event_with(content_with("0")))->sequence);
  CHECK_FALSE(parse_hint(event_with(content_with("\"0\"")))->sequence);
  CHECK_FALSE(parse_hint(event_with(content_with("null")))->sequence);
  const auto absent = parse_hint(event_with(R"({"type":"ipns-sync","cid":")" + kCid + "\"}"));
  REQUIRE(absent);
  CHECK_FALSE(absent->sequence);
}

TEST_CASE("a sequence of 2^63 or more is refused") {
  for (const char* bad : {"9223372036854775808", "\"9223372036854775808\"",
                          "\"18446744073709551616\"", "\"99999999999999999999999999\""}) {
    INFO(bad);
    const auto hint = parse_hint(event_with(content_with(bad)));
    REQUIRE_FALSE(hint);
    CHECK(hint.error().code == Errc::too_large);
  }
}

TEST_CASE("the name comes from d in any of its spellings (R25)") {
  const auto name = IpnsName::parse(kName);
  REQUIRE(name);
  for (const auto& spelling : {kName, kBase58, name->base32()}) {
    INFO(spelling);
    const auto hint = parse_hint(event_with(content_with("1"), "ipns-sync-" + spelling));
    REQUIRE(hint);
    CHECK(hint->name == *name);
    CHECK_FALSE(hint->faults.any());
  }
}

TEST_CASE("a differing name in the content is ignored and counted") {
  const auto hint = parse_hint(event_with(content_with("1"), "ipns-sync-" + kOtherName));
  REQUIRE(hint);
  CHECK(hint->name.to_string() == kOtherName);
  CHECK(hint->faults.name_differs);
}

TEST_CASE("the content decides; repeated or differing cid tags are ignored and counted (R24)") {
  auto event = event_with(content_with("1"));
  event.tags.push_back({"cid", kCid});
  CHECK_FALSE(parse_hint(event)->faults.any());
  event.tags.push_back({"cid", kCid});
  CHECK(parse_hint(event)->faults.cid_tags);
  event.tags.pop_back();
  event.tags.back()[1] = kOtherCid;
  CHECK(parse_hint(event)->faults.cid_tags);
  CHECK(parse_hint(event)->cid.to_string() == kCid);
}

TEST_CASE("unknown members are ignored and publisherPeerId reads as the device id") {
  const auto hint = parse_hint(event_with(content_with(
      "1", R"(,"publisherPeerId":"peer","future":{"deep":[[[1]]]},"version":"x","v":9)")));
  REQUIRE(hint);
  CHECK(hint->device_id == "peer");
  CHECK(hint->version == 0);
  CHECK(parse_hint(event_with(content_with("1", R"(,"publisherPeerId":"peer","deviceId":"mine")")))
            ->device_id == "mine");
}

TEST_CASE("a record that cannot be one is dropped and counted, the claim stays") {
  CHECK(parse_hint(event_with(content_with("1", R"(,"record":"AAEC")")))->record == Bytes{0, 1, 2});
  for (const std::string& bad :
       {std::string("\"!\""), std::string("5"), "\"" + to_base64(Bytes(10241)) + "\""}) {
    const auto hint = parse_hint(event_with(content_with("1", ",\"record\":" + bad)));
    REQUIRE(hint);
    CHECK(hint->record.empty());
    CHECK(hint->faults.bad_record);
  }
}

TEST_CASE("events that are no hints, and oversized ones, are refused (R19)") {
  CHECK(parse_hint(event_with(content_with("1"), "other-" + kName)).error().code == Errc::mismatch);
  CHECK_FALSE(parse_hint(event_with(content_with("1"), "ipns-sync-example.org")));
  CHECK_FALSE(parse_hint(event_with("[]")));
  CHECK_FALSE(parse_hint(event_with("")));
  CHECK_FALSE(parse_hint(event_with(R"({"type":"note"})")));
  CHECK_FALSE(parse_hint(event_with(R"({"type":"ipns-sync","ipnsName":")" + kName + "\"}")));
  CHECK_FALSE(parse_hint(event_with(std::string(60'000, '['))));
  CHECK(parse_hint(event_with(std::string(70'000, ' '))).error().code == Errc::too_large);
  nostr::Event without_d = event_with(content_with("1"));
  without_d.tags.clear();
  CHECK_FALSE(parse_hint(without_d));
}

TEST_CASE("what we write reads back the same, under a topic that is configured (S0-33, S0-50)") {
  const auto cid = Cid::parse(kCid);
  const auto parent = Cid::parse(kOtherCid);
  const HintDraft draft{.name = *IpnsName::parse(kBase58),
                        .cid = *cid,
                        .sequence = {42},
                        .timestamp = {1'790'000'000'123},
                        .version = 7,
                        .device_id = "phone",
                        .parent = *parent,
                        .record = {1, 2, 3},
                        .kind = kPublicHintKind,
                        .topic = "unicity-wallet-sync-{name}"};
  const auto unsigned_event = make_hint_event(draft, {1'790'000'000});
  REQUIRE(unsigned_event);
  nostr::Event event;
  event.kind = unsigned_event->kind;
  event.created_at = unsigned_event->created_at;
  event.tags = unsigned_event->tags;
  event.content = unsigned_event->content;
  CHECK(event.tag("d") == "ipns-sync-" + kName);
  CHECK(event.tag("t") == "unicity-wallet-sync-" + kName);
  CHECK(event.tag("cid") == kCid);
  CHECK(event.tag("seq") == "42");
  CHECK(claimed_sequence(event) == Sequence{42});
  const auto hint = parse_hint(event);
  REQUIRE(hint);
  CHECK(hint->name == draft.name);
  CHECK(hint->cid == draft.cid);
  CHECK(hint->sequence == draft.sequence);
  CHECK(hint->timestamp == draft.timestamp);
  CHECK(hint->version == 7);
  CHECK(hint->device_id == "phone");
  CHECK(hint->parent == draft.parent);
  CHECK(hint->record == draft.record);
  CHECK(hint->kind == kPublicHintKind);
  CHECK_FALSE(hint->faults.any());
}

TEST_CASE("many names are split over filters, anybody's hints are limited") {
  const std::vector<IpnsName> one = {*IpnsName::parse(kName)};
  const auto compat = hint_filters(one, {nostr::PublicKey{}}, {kHintKind, kPublicHintKind}, true);
  REQUIRE(compat.size() == 1);
  CHECK(compat[0].tags.at('d').size() == 3);
  CHECK(compat[0].tags.at('d')[1] == "ipns-sync-" + kBase58);
  CHECK_FALSE(compat[0].limit);
  CHECK(hint_filters(one, {}, {kHintKind}, false).at(0).limit == 50u);
  CHECK(hint_filters({}, {}, {kHintKind}, true).empty());

  std::vector<IpnsName> many;
  for (uint8_t i = 0; i < 200; ++i)
    many.push_back(IpnsName::from_key({KeyType::ed25519, Bytes(32, i)}));
  const auto filters = hint_filters(many, {nostr::PublicKey{}}, {kHintKind, kPublicHintKind}, true);
  size_t names = 0;
  for (const auto& filter : filters) {
    CHECK(filter.tags.at('d').size() * filter.kinds.size() <= 500);
    names += filter.tags.at('d').size() / 3;
  }
  CHECK(names == many.size());
}

TEST_CASE(
    "the hints of a name are asked for by kind, d and author: what others say under that d does "
    "not match (S0-51)") {
  const nostr::SecretKey own = nostr::SecretKey::generate();
  const IpnsName name = *IpnsName::parse(kName);
  const auto filters = hint_filters({name}, {own.public_key()}, {kHintKind}, false);
  REQUIRE(filters.size() == 1);
  CHECK(filters[0].kinds == std::vector<int>{kHintKind});
  CHECK(filters[0].authors == std::vector<nostr::PublicKey>{own.public_key()});
  REQUIRE(filters[0].tags.at('d').size() == 1);
  CHECK(filters[0].tags.at('d')[0] == "ipns-sync-" + kName);
  const auto hint = *make_hint_event(
      {.name = name, .cid = *Cid::parse(kCid), .sequence = {1}, .timestamp = {1}}, {9});
  CHECK(nostr::matches(filters[0], nostr::sign_event(own, hint)));
  CHECK_FALSE(nostr::matches(filters[0], nostr::sign_event(nostr::SecretKey::generate(), hint)));
}
