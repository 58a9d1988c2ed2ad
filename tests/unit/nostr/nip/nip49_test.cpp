#include "ipnscast/nostr/nip/nip49.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/bech32.h"
#include "ipnscast/nostr/nip/xchacha20_poly1305.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

constexpr std::string_view kVector =
    "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623"
    "n"
    "sl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p";
const Nip49Options kCheap{.log_n = 2};

Bytes hex(std::string_view text) { return *from_hex(text); }

// The bytes of a cheap encrypted key under "nostr".
Bytes cheap_bytes() {
  return decode_bech32(*nip49_encrypt(Bytes(32, 9), "nostr", kCheap), 200)->data;
}

Errc code_of(const Bytes& bytes) {
  const auto key = nip49_decrypt(encode_bech32("ncryptsec", bytes), "nostr");
  return key ? Errc::internal : key.error().code;
}

}  // namespace

TEST_CASE("XChaCha20-Poly1305 gives what its draft gives") {
  // draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1
  Bytes key(32);
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  CHECK(to_hex(hchacha20(key, hex("000000090000004a0000000031415927")).view()) ==
        "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");

  for (uint8_t& byte : key) byte = static_cast<uint8_t>(byte | 0x80);
  Bytes nonce(24);
  for (size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<uint8_t>(0x40 + i);
  const Bytes associated = hex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const Bytes sealed = xchacha20_poly1305_seal(key, nonce, associated, as_bytes(text));
  CHECK(
      to_hex(sealed) ==
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda"
      "7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b23835"
      "65d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
  CHECK(as_text(*xchacha20_poly1305_open(key, nonce, associated, sealed)) == text);

  // Every bit counts: of the text, of the tag, of what is only authenticated.
  for (const size_t at : {size_t{0}, sealed.size() - 17, sealed.size() - 16, sealed.size() - 1}) {
    Bytes altered = sealed;
    altered[at] ^= 1;
    CHECK(xchacha20_poly1305_open(key, nonce, associated, altered).error().code == Errc::signature);
  }
  CHECK_FALSE(xchacha20_poly1305_open(key, nonce, hex("50"), sealed));
  CHECK_FALSE(xchacha20_poly1305_open(key, nonce, associated, ByteView(sealed).first(15)));
}

TEST_CASE("the encrypted key of NIP-49 opens with its password and with no other") {
  const auto key = nip49_decrypt(kVector, "nostr");
  REQUIRE(key);
  CHECK(to_hex(key->secret.view()) ==
        "3501454135014541350145413501453fefb02227e449e57cf4d3a3ce05378683");
  CHECK(key->log_n == 16);
  CHECK(nip49_decrypt(kVector, "Nostr").error().code == Errc::signature);
  std::string upper(kVector);
  std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
  CHECK(is_ncryptsec(upper));
  CHECK(nip49_decrypt(upper, "nostr"));
}

TEST_CASE("a password means the same however its accents were typed") {
  // Å (Angstrom sign), Ω (Ohm sign), and s with a dot above and one below, long: three letters.
  const std::string typed = "\u212b\u2126\u1e9b\u0323";
  const std::string normal = "\u00c5\u03a9\u1e69";
  CHECK(nip49_normal_password(typed)->view() == normal);
  CHECK(nip49_normal_password(normal)->view() == normal);
  CHECK(nip49_normal_password("nostr")->view() == "nostr");
  CHECK(nip49_normal_password("")->view().empty());
  CHECK(nip49_normal_password("\xff").error().code == Errc::invalid);
  CHECK(nip49_normal_password("\xed\xa0\x80").error().code == Errc::invalid);  // half a surrogate
  // The character that grows most: one code point becomes eighteen.
  CHECK(nip49_normal_password("\ufdfa")->view().size() == 33);
  CHECK(nip49_normal_password(std::string(4097, 'x')).error().code == Errc::invalid);

  const auto closed = nip49_encrypt(Bytes(32, 9), typed, kCheap);
  REQUIRE(closed);
  CHECK(nip49_decrypt(*closed, normal));
}

TEST_CASE("an encrypted key carries its security byte, and none of it can be altered") {
  for (const auto security : {KeySecurity::insecure, KeySecurity::secure, KeySecurity::untracked}) {
    const auto closed = nip49_encrypt(Bytes(32, 9), "nostr", {.log_n = 3, .security = security});
    REQUIRE(closed);
    CHECK(closed->size() == 162);  // 91 bytes
    const auto opened = nip49_decrypt(*closed, "nostr");
    REQUIRE(opened);
    CHECK(opened->security == security);
    CHECK(opened->log_n == 3);
    CHECK(std::ranges::equal(opened->secret.view(), Bytes(32, 9)));
  }
  CHECK(*nip49_encrypt(Bytes(32, 9), "nostr", kCheap) !=
        *nip49_encrypt(Bytes(32, 9), "nostr", kCheap));
  // salt, nonce, security, key, tag
  for (const size_t at : {2u, 18u, 42u, 43u, 90u}) {
    Bytes altered = cheap_bytes();
    altered[at] ^= 1;
    CHECK(code_of(altered) == (at == 42u ? Errc::parse : Errc::signature));
  }
  Bytes other_security = cheap_bytes();
  other_security[42] = 1;
  CHECK(code_of(other_security) == Errc::signature);
}

TEST_CASE("an encrypted key that asks for too much memory is refused before any is spent") {
  Bytes hungry = cheap_bytes();
  hungry[1] = 23;
  CHECK(code_of(hungry) == Errc::too_large);
  hungry[1] = 255;
  CHECK(code_of(hungry) == Errc::too_large);
  const auto refused = nip49_decrypt(kVector, "nostr", 15);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(refused.error().message.find("MiB") != std::string::npos);
  hungry[1] = 0;
  CHECK(code_of(hungry) == Errc::parse);
  CHECK(nip49_encrypt(Bytes(32, 9), "nostr", {.log_n = 0}).error().code == Errc::invalid);
  CHECK(nip49_encrypt(Bytes(32, 9), "nostr", {.log_n = 23}).error().code == Errc::invalid);
}

TEST_CASE("what is no encrypted key says why") {
  Bytes bytes = cheap_bytes();
  bytes[0] = 1;
  CHECK(code_of(bytes) == Errc::unsupported);
  bytes = cheap_bytes();
  bytes.pop_back();
  CHECK(code_of(bytes) == Errc::parse);
  CHECK(code_of({}) == Errc::parse);
  CHECK(nip49_decrypt(encode_bech32("nsec", cheap_bytes()), "nostr").error().code == Errc::parse);
  CHECK(nip49_decrypt(std::string(kVector) + "q", "nostr").error().code == Errc::parse);
  CHECK_FALSE(is_ncryptsec("nsec1"));
  CHECK(nip49_encrypt(Bytes(31), "nostr", kCheap).error().code == Errc::invalid);
  CHECK(nip49_encrypt(Bytes(32), "", kCheap).error().code == Errc::invalid);
}
