#include "ipnscast/nostr/nip/nip44.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using nlohmann::json;

namespace {

Bytes hex(const json& text) { return *from_hex(text.get<std::string>()); }
ConversationKey conversation(const json& row) {
  return ConversationKey::from_bytes(hex(row["conversation_key"]));
}

Result<ConversationKey> between(const json& row) {
  return SecretKey::from_bytes(hex(row["sec1"])).and_then([&](const SecretKey& key) {
    return ConversationKey::between(key, PublicKey::from(hex(row["pub2"])));
  });
}

// v2 of nip44.json, or null without the official vectors.
json vectors() {
  const auto folder = test::official_vectors();
  return folder ? json::parse(test::read_file(*folder / "nostr/nip44.json"))["v2"] : json();
}

std::string repeated(const std::string& pattern, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += pattern;
  return out;
}

}  // namespace

TEST_CASE("nip44.json: conversation and message keys are as the official vectors say") {
  const json all = vectors();
  if (all.is_null()) SKIP_TEST("no official vectors");
  for (const json& row : all["valid"]["get_conversation_key"]) {
    const auto key = between(row);
    REQUIRE(key);
    CHECK(to_hex(key->view()) == row["conversation_key"].get<std::string>());
  }
  for (const json& row : all["invalid"]["get_conversation_key"]) {
    INFO(row["note"]);
    CHECK(between(row).error().code == Errc::invalid);
  }
  const auto key = conversation(all["valid"]["get_message_keys"]);
  for (const json& row : all["valid"]["get_message_keys"]["keys"]) {
    const auto keys = nip44_message_keys(key, hex(row["nonce"]));
    CHECK(to_hex(keys.chacha_key.view()) == row["chacha_key"].get<std::string>());
    CHECK(to_hex(keys.chacha_nonce) == row["chacha_nonce"].get<std::string>());
    CHECK(to_hex(keys.hmac_key.view()) == row["hmac_key"].get<std::string>());
  }
  for (const json& row : all["valid"]["calc_padded_len"])
    CHECK(nip44_padded_size(row[0]) == row[1]);
}

TEST_CASE("nip44.json: messages are encrypted to the official payloads and back") {
  const json all = vectors();
  if (all.is_null()) SKIP_TEST("no official vectors");
  for (const json& row : all["valid"]["encrypt_decrypt"]) {
    const auto key = conversation(row);
    CHECK(*nip44_encrypt_with_nonce(key, row["plaintext"].get<std::string>(), hex(row["nonce"])) ==
          row["payload"].get<std::string>());
    CHECK(*nip44_decrypt(key, row["payload"].get<std::string>()) ==
          row["plaintext"].get<std::string>());
    const auto second = SecretKey::from_bytes(hex(row["sec2"]));
    const auto first = SecretKey::from_bytes(hex(row["sec1"]));
    CHECK(to_hex(ConversationKey::between(*second, first->public_key())->view()) ==
          row["conversation_key"].get<std::string>());
  }
  for (const json& row : all["valid"]["encrypt_decrypt_long_msg"]) {
    const std::string text = repeated(row["pattern"], row["repeat"]);
    const auto payload = nip44_encrypt_with_nonce(conversation(row), text, hex(row["nonce"]));
    REQUIRE(payload);
    CHECK(to_hex(sha256(as_bytes(text))) == row["plaintext_sha256"].get<std::string>());
    CHECK(to_hex(sha256(as_bytes(*payload))) == row["payload_sha256"].get<std::string>());
    CHECK(*nip44_decrypt(conversation(row), *payload) == text);
  }
}

TEST_CASE("nip44.json: what must not decrypt does not, each for its reason") {
  const json all = vectors();
  if (all.is_null()) SKIP_TEST("no official vectors");
  for (const json& row : all["invalid"]["decrypt"]) {
    INFO(row["note"]);
    const auto text = nip44_decrypt(conversation(row), row["payload"].get<std::string>());
    REQUIRE_FALSE(text);
    const std::string note = row["note"];
    const Errc want = note.find("version") != std::string::npos ? Errc::unsupported
                      : note == "invalid MAC"                   ? Errc::signature
                                                                : Errc::parse;
    CHECK(text.error().code == want);
  }
}

TEST_CASE(
    "nip44.json: an empty text is refused, and the three lengths superseded in June 2026 are "
    "taken") {
  const json all = vectors();
  if (all.is_null()) SKIP_TEST("no official vectors");
  const auto key = ConversationKey::from_bytes(Bytes(32, 1));
  for (const size_t length : all["invalid"]["encrypt_msg_lengths"].get<std::vector<size_t>>()) {
    const auto payload = nip44_encrypt(key, std::string(length, 'x'));
    if (length == 0) {
      CHECK(payload.error().code == Errc::invalid);
    } else {
      REQUIRE(payload);
      CHECK(nip44_decrypt(key, *payload)->size() == length);
    }
  }
}

TEST_CASE("both length forms meet at 65536 bytes, and each is refused on the other's side") {
  const auto key = ConversationKey::from_bytes(Bytes(32, 1));
  for (const size_t length : {1u, 65535u, 65536u, 65537u}) {
    const std::string text(length, 'x');
    CHECK(*nip44_decrypt(key, *nip44_encrypt(key, text)) == text);
  }
  // A payload of 32 padded bytes whose prefix says 0: cut short in the middle of the long form.
  const Bytes nonce(32, 3);
  const std::string short_payload = *nip44_encrypt_with_nonce(key, "x", nonce);
  Bytes raw = *from_base64(short_payload, 1000);
  const auto keys = nip44_message_keys(key, nonce);
  raw[1 + 32 + 1] ^= 1;  // the length's low byte: 1 becomes 0
  const ByteView body(raw.data() + 33, raw.size() - 65);
  const Digest32 mac = hmac_sha256(keys.hmac_key.view(), {nonce, body});
  std::copy(mac.begin(), mac.end(), raw.end() - 32);
  CHECK(nip44_decrypt(key, to_base64(raw)).error().code == Errc::parse);
}

TEST_CASE("a payload beyond the bound is refused before it is decoded") {
  const auto key = ConversationKey::from_bytes(Bytes(32, 1));
  CHECK(nip44_encrypt(key, std::string(101, 'x'), 100).error().code == Errc::too_large);
  const auto payload = nip44_encrypt(key, std::string(1000, 'x'));
  CHECK(nip44_decrypt(key, *payload, 100).error().code == Errc::too_large);
  CHECK(nip44_decrypt(key, *payload, 999).error().code == Errc::too_large);
  CHECK(nip44_decrypt(key, *payload, 1000));
}
