#include "ipnscast/nostr/event/slices.h"

#include <random>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/frame.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/json/quote_index.h"
#include "ipnscast/nostr/verify/key_cache.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

SecretKey test_key() { return *SecretKey::from_bytes(Bytes(32, 7)); }

Event awkward() {
  return sign_event(test_key(), {{1700000000},
                                 30078,
                                 {{"d", "a\"b\\"}, {}, {"t", "", "[],{}"}},
                                 "{\"x\":\"\\\\\",\"y\":\"\n\u2028 \U0001F600\"}"});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::optional<EventId> sliced_id(std::string_view text) {
  SliceBuffers buffers;
  const auto slices = slice_event(text, buffers);
  return slices ? std::optional(compute_id(*slices)) : std::nullopt;
}

// As FrameVerifier tells copies of a verified event.
bool passes_for_copy(std::string_view text, const Event& event) {
  SliceBuffers buffers;
  const auto slices = slice_event(text, buffers);
  return slices && slices->id == to_hex(event.id.view()) &&
         slices->sig == to_hex(event.sig.view()) && compute_id(*slices) == event.id;
}

// Where the unescaped quotes are, one character after the other.
std::vector<uint32_t> quotes_one_by_one(std::string_view text) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      out.push_back(static_cast<uint32_t>(i));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the id is computed from an event's text without a parse") {
  const Event event = awkward();
  const std::string text = to_json(event);
  CHECK(sliced_id(text) == event.id);
  SliceBuffers buffers;
  const auto slices = slice_event(text, buffers);
  REQUIRE(slices);
  CHECK(slices->id == to_hex(event.id.view()));
  CHECK(slices->pubkey == to_hex(event.pubkey.view()));
  CHECK(slices->sig == to_hex(event.sig.view()));
  CHECK(slices->created_at == "1700000000");
  CHECK(slices->kind == "30078");
}

TEST_CASE("the order of the members and white space between tokens change nothing") {
  const Event event = awkward();
  std::string text = to_json(event);
  const std::string sig = ",\"sig\":\"" + to_hex(event.sig.view()) + "\"";
  text = replaced(replaced(text, sig, ""), "{\"id\"", "{" + sig.substr(1) + ",\"id\"");
  CHECK(sliced_id(text) == event.id);
  text = replaced(text, "\"kind\":", " \"kind\" :\r\n\t");
  text = replaced(text, "[[\"d\",", "[ [\n\"d\" , ");
  text = replaced(text, "],[]", " ] , [ ]");
  CHECK(sliced_id(text) == event.id);
}

TEST_CASE("texts that are not written as NIP-01 hashes them are left to the parser") {
  const Event event = sign_event(test_key(), {{1700000000}, 1, {{"t", "x"}}, "hello"});
  const std::string text = to_json(event);
  REQUIRE(sliced_id(text) == event.id);
  const auto left = [&](std::string_view from, std::string_view to) {
    return !sliced_id(replaced(text, from, to));
  };
  CHECK(left("hello", "h\\u0065llo"));
  CHECK(left("hello", "\\/hello"));
  CHECK(left("hello\"", "hello\\\""));
  CHECK(left("\"kind\":1", "\"kind\":1,\"kind\":1"));
  CHECK(left("\"kind\":1", "\"kinds\":1"));
  CHECK(left("\"kind\":1", "\"kind\":-1"));
  CHECK(left("\"kind\":1", "\"kind\":1.0"));
  CHECK(left("\"kind\":1,", ""));
  CHECK(left("\"kind\":1,", "\"kind\":1,\"more\":0,"));
  CHECK(left("[[\"t\",\"x\"]]", "[\"t\"]"));
  CHECK(left("[[\"t\",\"x\"]]", "[[\"t\",\"x\",]]"));
  CHECK(left("[[\"t\",\"x\"]]", "[[\"t\",[\"x\"]]]"));
  CHECK(left("[[\"t\",\"x\"]]", "[[\"t\",\"x\"]"));
  CHECK(left("\"content\":\"hello\"", "\"content\":\"hel\"lo\""));
  CHECK_FALSE(sliced_id(text + text));
  CHECK_FALSE(sliced_id(text.substr(0, text.size() - 1)));
  CHECK_FALSE(sliced_id(""));
  CHECK_FALSE(sliced_id("{}"));
}

TEST_CASE("seeded: slicing gives the parsed event's id or nothing, whatever is changed") {
  std::mt19937_64 random(20261121);
  const std::string_view alphabet = "\"\\,:[]{} ntu/0a9\n";
  const Event event = awkward();
  size_t sliced = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = to_json(event);
    const size_t changes = random() % 3 + 1;
    for (size_t i = 0; i < changes; ++i) {
      const size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 2 == 0) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    const auto id = sliced_id(text);
    if (!id) continue;
    ++sliced;
    const auto parsed = parse_event(text);
    if (parsed) CHECK(compute_id(*parsed) == *id);
    if (passes_for_copy(text, event)) CHECK(parsed == event);
  }
  CHECK(sliced > 1000);
}

TEST_CASE("quotes are found by blocks as one by one") {
  std::mt19937_64 random(1);
  std::vector<uint32_t> buffer;
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 300, 'x');
    for (char& c : text) {
      const auto pick = random() % 8;
      c = pick == 0 ? '"' : pick < 4 ? '\\' : 'x';
    }
    const auto found = index_quotes(text, buffer);
    REQUIRE(found);
    CHECK(std::vector<uint32_t>(found->begin(), found->end()) == quotes_one_by_one(text));
  }
  CHECK_FALSE(index_quotes(std::string(63, 'x') + "\\/", buffer));
  CHECK_FALSE(index_quotes(std::string(64, 'x') + "\\u0041", buffer));
  CHECK(index_quotes(std::string(62, 'x') + "\\\\/", buffer));
}

TEST_CASE("the cache of parsed keys answers as verify_schnorr() does") {
  KeyCache keys(2);  // so small that authors drive each other out
  const std::string message(32, 'm');
  for (int round = 0; round < 3; ++round) {
    for (uint8_t i = 1; i < 8; ++i) {
      const SecretKey key = *SecretKey::from_bytes(Bytes(32, i));
      Signature sig = key.sign(as_bytes(message));
      CHECK(keys.verify(key.public_key(), as_bytes(message), sig));
      sig.bytes[40] ^= 1;
      CHECK_FALSE(keys.verify(key.public_key(), as_bytes(message), sig));
    }
    PublicKey no_point;
    no_point.bytes.fill(0xff);
    CHECK_FALSE(keys.verify(no_point, as_bytes(message), Signature{}));
  }
}
