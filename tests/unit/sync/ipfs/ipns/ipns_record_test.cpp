#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <secp256k1.h>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};  // 2026

IpnsKey rfc8032_key() {
  return *IpnsKey::from_bytes(
      KeyType::ed25519,
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
}

RecordOptions options(uint64_t sequence = 7) {
  return {.value = "/ipfs/bafkqaaa",
          .sequence = {sequence},
          .eol = *Eol::parse("2100-01-02T03:04:05.678Z"),
          .v1 = false};
}

// The data map that create_record() would sign, for tests that bend it.
CborMap document() {
  return {{"TTL", {uint64_t{300'000'000'000}}},
          {"Value", {to_bytes("/ipfs/bafkqaaa")}},
          {"Sequence", {uint64_t{7}}},
          {"Validity", {to_bytes("2100-01-02T03:04:05.678Z")}},
          {"ValidityType", {uint64_t{0}}}};
}

void set(CborMap& map, std::string_view key, CborValue value) {
  for (CborMember& member : map) {
    if (member.key == key) member.value = std::move(value);
  }
}

Bytes signed_record(const IpnsKey& key, ByteView data) {
  Bytes message = to_bytes("ipns-signature:");
  append(message, data);
  Bytes out;
  append_bytes_field(out, 8, *key.sign(message));
  append_bytes_field(out, 9, data);
  return out;
}

// The same secp256k1 signature with n - s in the place of s, which is as good to the mathematics.
Bytes high_s(ByteView der) {
  secp256k1_context* const context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  secp256k1_ecdsa_signature signature;
  std::array<uint8_t, 64> compact;
  Bytes out(72);
  size_t size = out.size();
  REQUIRE(secp256k1_ecdsa_signature_parse_der(context, &signature, der.data(), der.size()) == 1);
  secp256k1_ecdsa_signature_serialize_compact(context, compact.data(), &signature);
  REQUIRE(secp256k1_ec_seckey_negate(context, compact.data() + 32) == 1);
  REQUIRE(secp256k1_ecdsa_signature_parse_compact(context, &signature, compact.data()) == 1);
  REQUIRE(secp256k1_ecdsa_signature_normalize(context, nullptr, &signature) == 1);
  secp256k1_ecdsa_signature_serialize_der(context, out.data(), &size, &signature);
  secp256k1_context_destroy(context);
  out.resize(size);
  return out;
}

Bytes with_signature(const IpnsRecord& record, ByteView signature) {
  Bytes out;
  append_bytes_field(out, 8, signature);
  append_bytes_field(out, 9, record.data());
  return out;
}

// "" for a valid record, else the reason.
std::string verdict(const IpnsKey& key, ByteView record, UnixMillis now = kNow) {
  const auto verified = verify_record(key.name(), record, now);
  return verified ? "" : std::string(to_string(verified.error().fault));
}

std::string verdict(const CborMap& map) {
  const IpnsKey key = rfc8032_key();
  return verdict(key, signed_record(key, encode_dag_cbor({map})));
}

}  // namespace

TEST_CASE("each official IPNS record gets the verdict its description gives (S1-26)") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  struct Row {
    std::string_view file, fault, value;
  };
  const Row rows[] = {
      {"k51qzi5uqu5dm4tm0wt8srkg9h9suud4wuiwjimndrkydqm81cqtlb5ak6p7ku_v1.ipns-record", "signature",
       ""},
      {"k51qzi5uqu5dlkw8pxuw9qmqayfdeh4kfebhmreauqdc6a7c3y7d5i9fi8mk9w_v1-v2.ipns-record", "",
       "/ipfs/bafkqaddwgevxmmraojswg33smq"},
      {"k51qzi5uqu5dit2ku9mutlfgwyz8u730on38kd10m97m36bjt66my99hb6103f_v2.ipns-record", "",
       "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi"},
      {"k51qzi5uqu5dlmit2tuwdvnx4sbnyqgmvbxftl0eo3f33wwtb9gr7yozae9kpw_v1-v2-broken-v1-value.ipns-"
       "record",
       "mismatch", ""},
      {"k51qzi5uqu5diamp7qnnvs1p1gzmku3eijkeijs3418j23j077zrkok63xdm8c_v1-v2-broken-signature-v2."
       "ipns-record",
       "signature", ""},
      {"k51qzi5uqu5dilgf7gorsh9vcqqq4myo6jd4zmqkuy9pxyxi5fua3uf7axph4y_v1-v2-broken-signature-v1."
       "ipns-record",
       "", "/ipfs/bafkqahtwgevxmmrao5uxi2bamjzg623fnyqhg2lhnzqxi5lsmuqhmmi"},
      {"k51qzi5uqu5djokp3m1keo36hoxtd6u3a1d2rg1camf6al7p3huy63dojlm57c.ipns-record", "", "/root2"},
      {"k51qzi5uqu5dlxdsdu5fpuu7h69wu4ohp32iwm9pdt9nq3y5rpn3ln9j12zfhe.ipns-record", "", ""},
  };
  for (const Row& row : rows) {
    INFO("ipns/" << row.file);
    const std::string bytes = test::read_file(*vectors / "ipns" / row.file);
    const auto name = IpnsName::parse(row.file.substr(0, row.file.find_first_of("_.")));
    REQUIRE(name);
    const auto record = verify_record(*name, as_bytes(bytes), kNow);
    if (!row.fault.empty()) {
      REQUIRE_FALSE(record);
      CHECK(to_string(record.error().fault) == row.fault);
      continue;
    }
    if (!record) FAIL(record.error().message);
    CHECK(record->fields().value.find(row.value) != std::string::npos);
    CHECK(record->key_type() == KeyType::ed25519);
    CHECK(as_text(record->bytes()) == bytes);
    CHECK(peek_record(as_bytes(bytes))->value == record->fields().value);
    // Under any other name the same record is worth nothing.
    CHECK(verify_record(rfc8032_key().name(), as_bytes(bytes), kNow).error().fault ==
          RecordFault::signature);
  }
  const auto valid = *verify_record(
      *IpnsName::parse("k51qzi5uqu5dlkw8pxuw9qmqayfdeh4kfebhmreauqdc6a7c3y7d5i9fi8mk9w"),
      as_bytes(test::read_file(*vectors / "ipns" / rows[1].file)), kNow);
  CHECK(valid.fields().sequence.value == 0);
  CHECK(valid.fields().ttl_ns == 1'800'000'000'000);
}

TEST_CASE("a created record is byte for byte what js-ipns creates") {
  const IpnsKey key = rfc8032_key();
  const std::string data =
      "a56354544c1b00000045d964b8006556616c75654e2f697066732f6261666b716161616853657175656e63650768"
      "56616c6964"
      "6974795818323130302d30312d30325430333a30343a30352e3637385a6c56616c69646974795479706500";
  const std::string v2 =
      "424086691e49c6fa83caad5e4b0af708dc76cd628eec386f992eb5d61b9d58d71f398d9e4f2b06c402df9c8f88c4"
      "a88ad974"
      "cff667f210964397c622ce4f3ce4a0014a5e" +
      data;
  const auto record = create_record(key, options());
  REQUIRE(record);
  CHECK(to_hex(record->data()) == data);
  CHECK(to_hex(record->bytes()) == v2);
  CHECK(verdict(key, record->bytes()).empty());

  RecordOptions both = options();
  both.v1 = true;
  CHECK(to_hex(create_record(key, both)->bytes()) ==
        "0a0e2f697066732f6261666b7161616112"
        "40fc7ba4d50e80cfebd92aa2874d0d0ff9ab1e94aa270317cf21f913c0e94a2354600f4b3815086fbca70f382f"
        "3bd17cf646f1"
        "682bf46b4f49d0255453212670021800221832"
        "3130302d30312d30325430333a30343a30352e3637385a28073080f092cbdd08" +
            v2);
}

TEST_CASE("records of secp256k1 names verify, with low and with high S") {
  const auto key = IpnsKey::from_nostr_secret(*from_hex(std::string(63, '0') + "6"));
  REQUIRE(key);
  const auto record = create_record(*key, options());
  REQUIRE(record);
  CHECK(verdict(*key, record->bytes()).empty());
  CHECK(verify_record(key->name(), record->bytes(), kNow)->key_type() == KeyType::secp256k1);
  CHECK(verdict(*key, with_signature(*record, high_s(record->signature()))).empty());
  Bytes altered = record->bytes();
  altered[20] ^= 1;
  CHECK(verdict(*key, altered) == "signature");
}

TEST_CASE("ECDSA keys verify on P-256 with DER signatures, and on no other curve") {
  for (const auto* curve : {"P-256", "P-384"}) {
    INFO(curve);
    EVP_PKEY* const pair = EVP_EC_gen(curve);
    REQUIRE(pair != nullptr);
    IpnsPublicKey key{KeyType::ecdsa, Bytes(static_cast<size_t>(i2d_PUBKEY(pair, nullptr)))};
    uint8_t* at = key.data.data();
    i2d_PUBKEY(pair, &at);
    const Bytes message = to_bytes("signed");
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    Bytes signature(256);
    size_t size = signature.size();
    REQUIRE(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, pair) == 1);
    REQUIRE(EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) == 1);
    signature.resize(size);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    if (std::string_view(curve) != "P-256") {
      CHECK(key.verify(message, signature).error().code == Errc::unsupported);
      continue;
    }
    CHECK(key.verify(message, signature));
    CHECK(key.verify(as_bytes("other"), signature).error().code == Errc::signature);
    CHECK_FALSE(key.verify(message, Bytes(64, 1)));  // the raw form that js-libp2p writes
    CHECK(IpnsName::from_key(key).base58().starts_with("Qm"));
    key.data.push_back(0);
    CHECK(key.verify(message, signature).error().code == Errc::parse);
  }
}

TEST_CASE("extra members of the data are covered by the signature and come back") {
  const IpnsKey key = rfc8032_key();
  RecordOptions with = options();
  with.extra["_nostr"] = encode_dag_cbor({std::string("npub")});
  const auto record = create_record(key, with);
  REQUIRE(record);
  CHECK(verify_record(key.name(), record->bytes(), kNow)->fields().extra == with.extra);
  with.extra["Value"] = with.extra["_nostr"];
  CHECK(create_record(key, with).error().code == Errc::invalid);
  with.extra = {{"_x", Bytes{0xff}}};
  CHECK(create_record(key, with).error().code == Errc::invalid);
  with.extra = {{"_x", encode_dag_cbor({std::string(11000, 'x')})}};
  CHECK(create_record(key, with).error().code == Errc::too_large);
}

TEST_CASE("a record cannot be created that nobody could take or replace") {
  const IpnsKey key = rfc8032_key();
  RecordOptions bad = options(kMaxSequence + 1);
  CHECK(create_record(key, bad).error().code == Errc::invalid);
  for (const auto* value :
       {"", "ipfs/bafkqaaa", "/ipfs/", "/ipfs/nope", "/http/x", "/ipns/", "/ipfs/bafkqaaa\n"}) {
    bad = options();
    bad.value = value;
    INFO(value);
    CHECK(create_record(key, bad).error().code == Errc::invalid);
  }
  bad = options();
  bad.ttl = std::chrono::nanoseconds(-1);
  CHECK(create_record(key, bad).error().code == Errc::invalid);
}

TEST_CASE("bent records are refused, each for its reason") {
  CHECK(verdict(document()).empty());
  CborMap map = document();
  set(map, "TTL", {CborNegative{0}});
  CHECK(verdict(map) == "ttl");
  set(map, "TTL", {kMaxSequence + 1});
  CHECK(verdict(map).empty());
  map = document();
  set(map, "ValidityType", {uint64_t{1}});
  CHECK(verdict(map) == "type");
  map = document();
  set(map, "Validity", {to_bytes("2020-01-01T00:00:00Z")});
  CHECK(verdict(map) == "expired");
  map = document();
  set(map, "Sequence", {kMaxSequence});
  CHECK(verdict(map).empty());
  set(map, "Sequence", {kMaxSequence + 1});
  CHECK(verdict(map) == "decode");
  map = document();
  set(map, "Value", {std::string("/ipfs/bafkqaaa")});
  CHECK(verdict(map) == "decode");
  map = document();
  map.pop_back();
  CHECK(verdict(map) == "decode");
  map = document();
  map.push_back(map.front());
  CHECK(verdict(map) == "decode");

  const IpnsKey key = rfc8032_key();
  Bytes data = encode_dag_cbor({document()});
  data.push_back(0);
  CHECK(verdict(key, signed_record(key, data)) == "decode");
  CHECK(verdict(key, Bytes(10241, 0)) == "size");
  CHECK(verdict(key, as_bytes("<html>")) == "decode");
  CHECK(verdict(key, {}) == "signature");
}

TEST_CASE("a legacy and an empty value read as the paths they stand for") {
  const IpnsKey key = rfc8032_key();
  CborMap map = document();
  set(map, "Value", {Cid::parse("bafkqaaa")->encode()});
  const auto binary = verify_record(key.name(), signed_record(key, encode_dag_cbor({map})), kNow);
  REQUIRE(binary);
  CHECK(binary->fields().value == "/ipfs/bafkqaaa");
  set(map, "Value", {Bytes{}});
  CHECK(
      verify_record(key.name(), signed_record(key, encode_dag_cbor({map})), kNow)->fields().value ==
      "/ipfs/bafkqaaa");
  set(map, "Value", {to_bytes("/ipfs/bafkqaaa\nX: y")});
  CHECK(verdict(map) == "decode");
}

TEST_CASE("legacy copies that differ from the signed data are refused, one by one") {
  const IpnsKey key = rfc8032_key();
  const Bytes v2 = create_record(key, options())->bytes();
  const auto with = [&](std::string_view value, uint64_t type, std::string_view eol,
                        uint64_t sequence, uint64_t ttl) {
    Bytes out;
    append_bytes_field(out, 1, as_bytes(value));
    append_uint_field(out, 3, type);
    append_bytes_field(out, 4, as_bytes(eol));
    append_uint_field(out, 5, sequence);
    append_uint_field(out, 6, ttl);
    append(out, v2);
    return verdict(key, out);
  };
  const std::string eol = "2100-01-02T03:04:05.678Z";
  CHECK(with("/ipfs/bafkqaaa", 0, eol, 7, 300'000'000'000).empty());
  CHECK(with("/ipfs/bafkqaab", 0, eol, 7, 300'000'000'000) == "mismatch");
  CHECK(with("/ipfs/bafkqaaa", 1, eol, 7, 300'000'000'000) == "mismatch");
  CHECK(with("/ipfs/bafkqaaa", 0, "2100-01-02T03:04:05.6780Z", 7, 300'000'000'000) == "mismatch");
  CHECK(with("/ipfs/bafkqaaa", 0, eol, 8, 300'000'000'000) == "mismatch");
  CHECK(with("/ipfs/bafkqaaa", 0, eol, 7, 300'000'000'001) == "mismatch");
  // Without a value and a V1 signature the other copies are not looked at, as boxo has it.
  CHECK(with("", 1, eol, 8, 1).empty());
}

TEST_CASE("an embedded key that does not hash to the name is refused, however well it signs") {
  const IpnsKey owner = rfc8032_key();
  const auto thief = IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 9));
  Bytes forged;
  append_bytes_field(forged, 7, thief->public_key().encode());
  append(forged, create_record(*thief, options())->bytes());
  CHECK(verdict(owner, forged) == "key");
  const Digest32 digest = sha256(as_bytes("some RSA key"));
  const auto hashed =
      IpnsName::from_multihash(Multihash{0x12, to_bytes(ByteView(digest))}.encode());
  REQUIRE(hashed);
  CHECK(verify_record(*hashed, forged, kNow).error().fault == RecordFault::key);
  CHECK(verify_record(*hashed, create_record(*thief, options())->bytes(), kNow).error().fault ==
        RecordFault::key);
}

TEST_CASE("an expired record says so and is still there for a policy to use (R22)") {
  const IpnsKey key = rfc8032_key();
  const auto record = create_record(key, options());
  const Eol eol = record->fields().eol;
  const UnixMillis last{eol.seconds * 1000 + 677};
  CHECK(verdict(key, record->bytes(), last).empty());
  const auto late = verify_record(key.name(), record->bytes(), UnixMillis{last.value + 1});
  REQUIRE_FALSE(late);
  CHECK(late.error().fault == RecordFault::expired);
  REQUIRE(late.error().expired_record);
  CHECK(late.error().expired_record->fields().value == "/ipfs/bafkqaaa");
}

TEST_CASE(
    "two devices pick the same winner: sequence, then end of life, then the greater data (S0-25)") {
  const IpnsKey key = rfc8032_key();
  const auto first = create_record(key, options(7));
  const auto second = create_record(key, options(8));
  RecordOptions later = options(7);
  later.eol.nanoseconds += 1;
  const auto third = create_record(key, later);
  RecordOptions other = options(7);
  other.value = "/ipfs/bafkqaab7";
  CHECK(better(*second, *first));
  CHECK_FALSE(better(*first, *second));
  CHECK(better(*third, *first));
  CHECK(better(*second, *third));
  CHECK_FALSE(better(*first, *first));
  other.value = "/ipfs/bafkqabaa";
  other.value = "/ipns/x";
  const auto fourth = create_record(key, other);
  REQUIRE(fourth);
  CHECK(better(*first, *fourth) != better(*fourth, *first));
  CHECK(better(*fourth, *first) == (fourth->data() > first->data()));
}
