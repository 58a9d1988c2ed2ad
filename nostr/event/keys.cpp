#include "ipnscast/nostr/event/keys.h"

#include <secp256k1_ecdh.h>
#include <secp256k1_schnorrsig.h>

#include <cassert>
#include <cstdlib>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/text/blanks.h"
#include "ipnscast/nostr/event/nip19.h"

namespace ipnscast::nostr {
namespace {

// One for the process, blinded once against side channels. Afterwards it is only read, which
// libsecp256k1 allows from many threads at a time.
const secp256k1_context* context() {
  static const secp256k1_context* const instance = [] {
    secp256k1_context* created = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    std::array<uint8_t, 32> seed;
    fill_random(seed);
    if (secp256k1_context_randomize(created, seed.data()) != 1) std::abort();
    wipe(seed);
    return created;
  }();
  return instance;
}

// A libsecp256k1 key pair that wipes itself.
struct KeyPair {
  secp256k1_keypair pair{};
  ~KeyPair() { wipe({pair.data, sizeof(pair.data)}); }
};

// libsecp256k1's ECDH hands the shared point to a hash function; NIP-44 wants x as it is.
int copy_x(unsigned char* out, const unsigned char* x32, const unsigned char*, void*) {
  std::copy_n(x32, 32, out);
  return 1;
}

}  // namespace

Result<SecretKey> SecretKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kSize) return fail(Errc::invalid, "secret key: want 32 bytes");
  KeyPair keys;
  secp256k1_xonly_pubkey x;
  PublicKey public_key;
  if (secp256k1_keypair_create(context(), &keys.pair, bytes.data()) != 1 ||
      secp256k1_keypair_xonly_pub(context(), &x, nullptr, &keys.pair) != 1 ||
      secp256k1_xonly_pubkey_serialize(context(), public_key.bytes.data(), &x) != 1) {
    return fail(Errc::invalid, "secret key: zero, or not below the order of the curve");
  }
  return SecretKey(SecretBytes<32>::from(bytes), public_key);
}

Result<SecretKey> SecretKey::parse(std::string_view text) {
  text = without_space(text);
  if (text.starts_with("nsec1")) return decode_nsec(text);
  auto bytes = text.size() == 2 * kSize ? from_hex(text) : fail(Errc::parse, "");
  if (!bytes) return fail(Errc::parse, "secret key: want 64 hex digits or nsec1...");
  auto key = from_bytes(*bytes);
  wipe(*bytes);
  return key;
}

SecretKey SecretKey::generate() {
  while (true) {
    SecretBytes<32> bytes;
    fill_random(bytes.mutable_view());
    if (auto key = from_bytes(bytes.view())) return std::move(*key);
  }
}

Signature SecretKey::sign(ByteView message32) const {
  SecretBytes<32> aux;
  fill_random(aux.mutable_view());
  return sign_with_aux(message32, aux.view());
}

Signature SecretKey::sign_with_aux(ByteView message, ByteView aux32) const {
  assert(aux32.size() == 32);
  KeyPair keys;
  secp256k1_schnorrsig_extraparams extra = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
  // The library only reads the randomness; its C interface lacks the const.
  extra.ndata = const_cast<uint8_t*>(aux32.data());
  Signature out;
  // Neither call can fail for a key that from_bytes() accepted.
  if (secp256k1_keypair_create(context(), &keys.pair, bytes_.view().data()) != 1 ||
      secp256k1_schnorrsig_sign_custom(context(), out.bytes.data(), message.data(), message.size(),
                                       &keys.pair, &extra) != 1) {
    std::abort();
  }
  return out;
}

Result<SecretBytes<32>> SecretKey::shared_x(const PublicKey& other) const {
  std::array<uint8_t, 33> compressed;
  compressed[0] = 2;  // x-only keys mean the point with even y
  std::copy(other.bytes.begin(), other.bytes.end(), compressed.begin() + 1);
  secp256k1_pubkey point;
  SecretBytes<32> out;
  if (secp256k1_ec_pubkey_parse(context(), &point, compressed.data(), compressed.size()) != 1 ||
      secp256k1_ecdh(context(), out.mutable_view().data(), &point, bytes_.view().data(), copy_x,
                     nullptr) != 1) {
    return fail(Errc::invalid, "public key: not on the curve");
  }
  return out;
}

bool verify_schnorr(const PublicKey& key, ByteView message, const Signature& signature) {
  secp256k1_xonly_pubkey parsed;
  return secp256k1_xonly_pubkey_parse(context(), &parsed, key.bytes.data()) == 1 &&
         secp256k1_schnorrsig_verify(context(), signature.bytes.data(), message.data(),
                                     message.size(), &parsed) == 1;
}

Event sign_event(const SecretKey& key, const UnsignedEvent& event) {
  Event out{.id = {},
            .pubkey = key.public_key(),
            .created_at = event.created_at,
            .kind = event.kind,
            .tags = event.tags,
            .content = event.content,
            .sig = {}};
  out.id = compute_id(out);
  out.sig = key.sign(out.id.view());
  return out;
}

}  // namespace ipnscast::nostr
