#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/event/check.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

SecretKey test_key() { return *SecretKey::from_bytes(Bytes(32, 7)); }

Event valid_event() {
  return sign_event(
      test_key(),
      {{1700000000}, 30078, {{"d", "a\"b"}, {"t", "x", "y"}}, "hello\n\u2028 \U0001F600 /"});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The fault that check_event() names, or "" for a valid event.
std::string fault_of(std::string_view json, const EventLimits& limits = {}) {
  const auto event = check_event(json, limits);
  return event ? "" : std::string(to_string(event.error().fault));
}

// An event whose id and signature are those of `text`, which is the canonical text written in
// another way.
std::string signed_over(const Event& event, std::string_view text) {
  Event out = event;
  out.id = {sha256(as_bytes(text))};
  out.sig = test_key().sign(out.id.view());
  return to_json(out);
}

}  // namespace

TEST_CASE("the canonical text escapes what NIP-01 names and nothing else") {
  const UnsignedEvent event{{1700000000},
                            1,
                            {{"e", "\"\\"}, {"empty", ""}, {}},
                            "\n\r\t\b\f/\x7f\u2028\u2029\x01\x1f\U0001F600é"};
  CHECK(canonical_text(PublicKey{}, event) ==
        "[0,\"" + std::string(64, '0') +
            "\",1700000000,1,[[\"e\",\"\\\"\\\\\"],[\"empty\",\"\"],[]],"
            "\"\\n\\r\\t\\b\\f/\x7f\u2028\u2029\\u0001\\u001f\U0001F600é\"]");
}

TEST_CASE("characters that need an escape are found wherever they stand") {
  for (size_t size = 0; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char special : {'"', '\\', '\n', '\x01', '\x1f'}) {
        UnsignedEvent event{{0}, 1, {}, std::string(size, '\xc3')};
        event.content[at] = special;
        const std::string text = canonical_text(PublicKey{}, event);
        const std::string_view written = std::string_view(text).substr(text.find(",[],\"") + 5);
        CHECK(written.substr(0, at) == event.content.substr(0, at));
        CHECK(written[at] == '\\');
      }
    }
  }
}

TEST_CASE("an event by another client gets the id that client gave it") {
  // From NIP-01's reference tools: kind 1, no tags.
  const std::string json =
      R"({"id":"dc90c95f09947507c1044e8f48bcf6350aa6bff1507dd4acfc755b9239b5c962",)"
      R"("pubkey":"3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d","created_at":1644271588,)"
      R"("kind":1,"tags":[],"content":"now that https://blueskyweb.org/blog/2-7-2022-overview was announced we can )"
      R"(stop working on nostr?","sig":"230e9d8f0ddaf7eb70b5f7741ccfa37e87a455c9a469282e3464e2052d3192cd63a167e196e)"
      R"(381ef9d7e69e9ea43af2443b839974dc85d8aaab9efe1d9296524"})";
  CHECK(fault_of(json) == "");
}

TEST_CASE("a signed event survives its JSON, and every change of a member is noticed") {
  const Event event = valid_event();
  const std::string json = to_json(event);
  CHECK(*parse_event(json) == event);
  CHECK(verify(event));
  CHECK(fault_of(json) == "");
  CHECK(fault_of(replaced(json, "hello", "hullo")) == "id");
  CHECK(fault_of(replaced(json, "1700000000", "1700000001")) == "id");
  CHECK(fault_of(replaced(json, "\"x\",\"y\"", "\"x\",\"z\"")) == "id");
  Event other = event;
  other.sig.bytes[63] ^= 1;
  CHECK(fault_of(to_json(other)) == "sig");
  other = event;
  other.pubkey.bytes.fill(0xff);  // not on the curve
  other.id = compute_id(other);
  CHECK(fault_of(to_json(other)) == "sig");
  CHECK(verify(other).error().code == Errc::signature);
}

TEST_CASE("R19: an event of another shape is refused, and the reason says in what") {
  const std::string json = to_json(valid_event());
  CHECK(fault_of("") == "json");
  CHECK(fault_of("[]") == "shape");
  CHECK(fault_of("null") == "shape");
  CHECK(fault_of("{}") == "shape");
  CHECK(fault_of(json + "x") == "json");
  CHECK(fault_of(json.substr(0, json.size() - 1)) == "json");
  CHECK(fault_of(replaced(json, "hello", "\xff")) == "json");
  CHECK(fault_of(replaced(json, "hello", "\x01")) == "json");
  CHECK(fault_of(replaced(json, "hello", "\\x")) == "json");
  CHECK(fault_of(replaced(json, "hello", "\\ud800")) == "escape");
  CHECK(fault_of(replaced(json, "hello", "\\udc00")) == "escape");
  CHECK(fault_of(replaced(json, "hello", "\\ud800\\u0041")) == "escape");
  CHECK(fault_of(replaced(json, "hello", "\\\\ud800")) == "id");
  CHECK(fault_of(replaced(json, "\"kind\":30078", "\"kind\":\"30078\"")) == "shape");
  CHECK(fault_of(replaced(json, "\"kind\":30078", "\"kind\":30078,\"kind\":30078")) == "shape");
  CHECK(fault_of(replaced(json, "\"kind\":30078", "\"\\u006bind\":1,\"kind\":30078")) == "shape");
  CHECK(fault_of(replaced(json, "\"kind\":30078", "\"x\":1,\"kind\":30078,\"x\":2")) == "shape");
  CHECK(fault_of(replaced(json, "\"kind\":30078,", "")) == "shape");
  CHECK(fault_of(replaced(json, "\"tags\":[[", "\"tags\":[\"x\",[")) == "shape");
  CHECK(fault_of(replaced(json, "\"tags\":[[", "\"tags\":[[1,")) == "shape");
  CHECK(fault_of(replaced(json, "\"content\":\"", "\"content\":null,\"c\":\"")) == "shape");
  CHECK(fault_of(replaced(json, "\"id\":\"", "\"id\":\"0")) == "shape");
  CHECK(fault_of(replaced(json, "\"sig\":\"", "\"sig\":\"A")) == "shape");
  for (const char* kind : {"65536", "-1", "1.0", "3e4", "99999999999999999999999"}) {
    CHECK(fault_of(replaced(json, "\"kind\":30078", "\"kind\":" + std::string(kind))) == "kind");
  }
  for (const char* time : {"-1", "1.5", "1e9", "9223372036854775808", "99999999999999999999999"}) {
    CHECK(fault_of(replaced(json, "1700000000", time)) == "time");
  }
  CHECK(fault_of(replaced(json, "30078", "030078")) == "json");
}

TEST_CASE("members that NIP-01 does not know are ignored, whatever they hold") {
  const std::string json = to_json(valid_event());
  CHECK(fault_of(replaced(json, "{", R"({"seen_on":["wss://x"],"nested":{"a":[1,2.5e3,null]},)")) ==
        "");
  CHECK(fault_of(replaced(
            json, "{", R"({"wide":123456789012345678901234567890,"huge":1e999,"text":"1e999",)")) ==
        "");
  CHECK(fault_of(replaced(json, "{", R"({"wide":1e,)")) == "json");
}

TEST_CASE("escapes that mean the same text do not change the event") {
  const Event event = valid_event();
  const std::string json = replaced(to_json(event), "hello", "\\u0068ello");
  CHECK(*parse_event(replaced(json, " /", "\\u0020\\/")) == event);
  CHECK(*parse_event(replaced(json, "\U0001F600", "\\ud83d\\uDE00")) == event);
}

TEST_CASE("an id over a text that was escaped in another way is told from a lie") {
  const Event event =
      sign_event(test_key(), {{1}, 1, {{"r", "a/b"}}, "\x01\x7f/\u2028<\U0001F600\b"});
  const std::string text =
      canonical_text(event.pubkey, {event.created_at, event.kind, event.tags, event.content});
  CHECK(fault_of(signed_over(event, text)) == "");
  CHECK(fault_of(signed_over(event, replaced(text, "\\u0001", "\x01"))) == "escape");
  CHECK(fault_of(signed_over(
            event, replaced(replaced(text, "a/b", "a\\/b"), "\x7f/", "\x7f\\/"))) == "escape");
  CHECK(fault_of(signed_over(event, replaced(replaced(text, "\u2028", "\\u2028"), "\U0001F600",
                                             "\\ud83d\\ude00"))) == "escape");
  CHECK(fault_of(signed_over(event, replaced(text, "\x7f", "\\u007f"))) == "escape");
  CHECK(fault_of(signed_over(event, replaced(text, "\\b", "\\u0008"))) == "escape");
  CHECK(fault_of(signed_over(event, replaced(text, "[[", "[ ["))) == "id");
}

TEST_CASE("R19: size, tags, items and depth of an event are bounded") {
  const std::string json = to_json(valid_event());
  const auto code = [](std::string_view text, const EventLimits& limits) {
    const auto event = parse_event(text, limits);
    return event ? Errc::internal : event.error().code;
  };
  CHECK(code(json, {.max_bytes = json.size()}) == Errc::internal);
  CHECK(code(json, {.max_bytes = json.size() - 1}) == Errc::too_large);
  CHECK(code(json, {.max_tags = 1}) == Errc::too_large);
  CHECK(code(json, {.max_tag_items = 2}) == Errc::too_large);
  const std::string deep =
      replaced(json, "{", "{\"x\":" + std::string(100, '[') + std::string(100, ']') + ",");
  CHECK(code(deep, {}) == Errc::too_large);
  CHECK(code(deep, {.max_depth = 200}) == Errc::internal);
  const std::string deeper = replaced(json, "{", "{\"x\":" + std::string(200000, '[') + ",");
  CHECK(code(deeper, {}) == Errc::too_large);
}

TEST_CASE("kinds fall into NIP-01's classes, and only the first d tag names an address") {
  CHECK(kind_class(1) == KindClass::regular);
  CHECK(kind_class(5) == KindClass::regular);
  CHECK(kind_class(0) == KindClass::replaceable);
  CHECK(kind_class(3) == KindClass::replaceable);
  CHECK(kind_class(10002) == KindClass::replaceable);
  CHECK(kind_class(19999) == KindClass::replaceable);
  CHECK(kind_class(20000) == KindClass::ephemeral);
  CHECK(kind_class(29999) == KindClass::ephemeral);
  CHECK(kind_class(30000) == KindClass::addressable);
  CHECK(kind_class(39999) == KindClass::addressable);
  CHECK(kind_class(40000) == KindClass::regular);

  Event event;
  event.kind = 30078;
  CHECK(address_of(event)->d.empty());
  event.tags = {{}, {"x"}, {"d", "first"}, {"d", "second"}};
  CHECK(address_of(event)->d == "first");
  event.tags = {{"d"}, {"d", "second"}};
  CHECK(address_of(event)->d.empty());
  event.kind = 10002;
  CHECK(address_of(event)->d.empty());
  event.kind = 1;
  CHECK_FALSE(address_of(event));
}

TEST_CASE("R3: of two events in one second the lower id wins") {
  Event a;
  Event b;
  a.created_at = {10};
  b.created_at = {10};
  a.id.bytes[0] = 1;
  b.id.bytes[0] = 2;
  CHECK(supersedes(a, b));
  CHECK_FALSE(supersedes(b, a));
  CHECK_FALSE(supersedes(a, a));
  b.created_at = {11};
  CHECK(supersedes(b, a));
}

TEST_CASE("text that clients hash differently is not published") {
  UnsignedEvent event{{1}, 1, {{"t", "x"}}, "a\n\r\t\b\f\x7f\u2028"};
  CHECK(check_publishable(event));
  for (const auto& bad : {std::string(1, '\0'), std::string("\x1f"), std::string("\xff"),
                          std::string("\xed\xa0\x80")}) {
    event.content = bad;
    CHECK(check_publishable(event).error().code == Errc::invalid);
  }
  event.content.clear();
  event.tags = {{"t", "\x02"}};
  CHECK_FALSE(check_publishable(event));
  event.tags = {{}};
  CHECK_FALSE(check_publishable(event));
  event.tags.clear();
  event.kind = 65536;
  CHECK_FALSE(check_publishable(event));
}

TEST_CASE("what is to be signed may leave out its time, tags and content") {
  const auto event = parse_unsigned_event(R"({"kind":1})", {42});
  REQUIRE(event);
  CHECK(event->created_at.value == 42);
  CHECK(event->content.empty());
  CHECK(parse_unsigned_event(R"({"kind":1,"created_at":7,"tags":[["a"]],"content":"x","sig":0})",
                             {42})
            ->tags.size() == 1);
  CHECK_FALSE(parse_unsigned_event(R"({"content":"x"})", {42}));
  CHECK_FALSE(parse_unsigned_event(R"({"kind":65536})", {42}));
  CHECK_FALSE(parse_unsigned_event(R"({"kind":1,"kind":1})", {42}));
}
