#include "ipnscast/nostr/event/keys.h"

#include <fstream>
#include <sstream>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> out;
  std::stringstream in(line);
  for (std::string column; std::getline(in, column, ',');) out.push_back(column);
  return out;
}

}  // namespace

TEST_CASE("every row of bip340.csv is signed and verified as BIP-340 says") {
  const auto folder = test::official_vectors();
  if (!folder) SKIP_TEST("no official vectors");
  std::stringstream in(test::read_file(*folder / "nostr/bip340.csv"));
  std::string line;
  std::getline(in, line);
  int rows = 0;
  while (std::getline(in, line)) {
    const auto row = columns_of(line);
    if (row.size() < 7) continue;
    INFO(line);
    const auto public_key = PublicKey::from(*from_hex(row[2]));
    const Bytes message = *from_hex(row[4]);
    const auto signature = Signature::from(*from_hex(row[5]));
    if (!row[1].empty()) {
      const auto key = SecretKey::from_bytes(*from_hex(row[1]));
      REQUIRE(key);
      CHECK(key->public_key() == public_key);
      CHECK(key->sign_with_aux(message, *from_hex(row[3])) == signature);
    }
    CHECK(verify_schnorr(public_key, message, signature) == (row[6] == "TRUE"));
    ++rows;
  }
  CHECK(rows == 19);
}

TEST_CASE("a secret key is read as hex or nsec, and numbers that are no key are refused") {
  const std::string hex = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa";
  const auto key = SecretKey::parse(" " + hex + "\n");
  REQUIRE(key);
  const auto same =
      SecretKey::parse("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5");
  REQUIRE(same);
  CHECK(same->public_key() == key->public_key());
  CHECK(SecretKey::parse(std::string(64, '0')).error().code == Errc::invalid);
  CHECK(SecretKey::parse("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
            .error()
            .code == Errc::invalid);
  CHECK_FALSE(SecretKey::parse(""));
  CHECK_FALSE(SecretKey::parse(hex + "00"));
  CHECK_FALSE(SecretKey::parse("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"));
}

TEST_CASE("a local signer answers at once and refuses text that other clients hash differently") {
  const auto signer = make_local_signer(SecretKey::generate());
  const auto signed_event =
      sign_blocking(*signer, {{1700000000}, 1, {{"t", "x"}}, "hello"}, Milliseconds(1000));
  REQUIRE(signed_event);
  CHECK(signed_event->pubkey == signer->public_key());
  CHECK(verify(*signed_event));
  CHECK(sign_blocking(*signer, {{1}, 1, {}, std::string(1, '\x01')}, Milliseconds(1000))
            .error()
            .code == Errc::invalid);
}

TEST_CASE("a signer that never answers is given up on time") {
  struct Silent : Signer {
    PublicKey public_key() const override { return {}; }
    void sign(UnsignedEvent, SignCallback done) override { kept = std::move(done); }
    void nip44_encrypt(std::string, PublicKey, TextCallback) override {}
    void nip44_decrypt(std::string, PublicKey, TextCallback) override {}
    SignCallback kept;
  } silent;
  CHECK(sign_blocking(silent, {}, Milliseconds(5)).error().code == Errc::timeout);
  silent.kept(Event{});  // an answer that comes too late does no harm
}
