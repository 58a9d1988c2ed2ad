#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/nip/nip49.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

// Encrypted keys (NIP-49) of ours against nostr-tools.
using namespace ipnscast;
using namespace ipnscast::test;
using nlohmann::json;

namespace {

// Plain, long, with white space, and such as Unicode writes in several ways.
const std::vector<std::string> kPasswords = {"nostr",
                                             std::string(300, 'x'),
                                             " a b\t",
                                             "\u212b\u2126\u1e9b\u0323",
                                             "\ufdfa",
                                             "p\u0061\u0308ss",
                                             "\uff34\u337f\u3163",
                                             "\U0001f511\ufe0f\u200d"};

std::vector<json> ask(const std::filesystem::path& js, const std::string& what,
                      const std::vector<json>& rows) {
  std::string input;
  for (const json& row : rows) input += row.dump() + "\n";
  const Ran ran = run(node_script(js, "encrypted_keys.mjs", {what}, input));
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  std::vector<json> out;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
  REQUIRE(out.size() == rows.size());
  return out;
}

uint8_t log_n_of(size_t i) { return static_cast<uint8_t>(i == 0 ? 16 : 4 + i); }

}  // namespace

TEST_CASE("nostr-tools opens the keys that we encrypt") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  std::vector<json> rows;
  std::vector<std::string> secrets;
  for (size_t i = 0; i < kPasswords.size(); ++i) {
    const Bytes secret = random_bytes(32);
    const auto text = nostr::nip49_encrypt(
        secret, kPasswords[i],
        {.log_n = log_n_of(i), .security = static_cast<nostr::KeySecurity>(i % 3)});
    REQUIRE(text);
    rows.push_back({{"ncryptsec", *text}, {"password", kPasswords[i]}});
    secrets.push_back(to_hex(secret));
  }
  rows.push_back(rows.front());
  rows.back()["password"] = "Nostr";
  const auto answers = ask(*js, "decrypt", rows);
  for (size_t i = 0; i < secrets.size(); ++i) {
    INFO(kPasswords[i]);
    CHECK(answers[i].value("secret", "") == secrets[i]);
  }
  CHECK(answers.back().contains("error"));
}

TEST_CASE("we open the keys that nostr-tools encrypts") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  std::vector<json> rows;
  for (size_t i = 0; i < kPasswords.size(); ++i) {
    rows.push_back({{"secret", to_hex(random_bytes(32))},
                    {"password", kPasswords[i]},
                    {"log_n", log_n_of(i)},
                    {"security", i % 3}});
  }
  const auto texts = ask(*js, "encrypt", rows);
  for (size_t i = 0; i < texts.size(); ++i) {
    INFO(kPasswords[i]);
    const auto key = nostr::nip49_decrypt(texts[i].get<std::string>(), kPasswords[i]);
    REQUIRE(key);
    CHECK(to_hex(key->secret.view()) == rows[i]["secret"].get<std::string>());
    CHECK(key->security == static_cast<nostr::KeySecurity>(i % 3));
    CHECK(key->log_n == log_n_of(i));
    CHECK(nostr::nip49_decrypt(texts[i].get<std::string>(), "wrong").error().code ==
          Errc::signature);
  }
}
