#include <fstream>
#include <map>
#include <sstream>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipld/varint.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

// The first row names the input as a quoted Go string, each further one a base and the text.
std::vector<std::pair<std::string, std::string>> multibase_rows(const std::filesystem::path& file) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream lines(test::read_file(file));
  for (std::string line; std::getline(lines, line);) {
    const size_t comma = line.find(", \"");
    const size_t end = line.rfind('"');
    REQUIRE(comma != line.npos);
    out.emplace_back(line.substr(0, comma), line.substr(comma + 3, end - comma - 3));
  }
  return out;
}

const std::map<std::string, Base> kBaseNames = {
    {"base2", Base::base2},
    {"base8", Base::base8},
    {"base10", Base::base10},
    {"base16", Base::base16},
    {"base16upper", Base::base16_upper},
    {"base32", Base::base32},
    {"base32upper", Base::base32_upper},
    {"base32hex", Base::base32_hex},
    {"base32hexupper", Base::base32_hex_upper},
    {"base32pad", Base::base32_pad},
    {"base32padupper", Base::base32_pad_upper},
    {"base32hexpad", Base::base32_hex_pad},
    {"base32hexpadupper", Base::base32_hex_pad_upper},
    {"base32z", Base::base32_z},
    {"base36", Base::base36},
    {"base36upper", Base::base36_upper},
    {"base58flickr", Base::base58_flickr},
    {"base58btc", Base::base58_btc},
    {"base64", Base::base64},
    {"base64pad", Base::base64_pad},
    {"base64url", Base::base64_url},
    {"base64urlpad", Base::base64_url_pad},
};

}  // namespace

TEST_CASE("varints are read only in their shortest form and within their bounds") {
  size_t used = 0;
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128},
                               uint64_t{16384}, ~uint64_t{0} >> 1}) {
    Bytes bytes;
    append_varint(bytes, value);
    bytes.push_back(0xaa);
    CHECK(*read_varint(bytes, used) == value);
    CHECK(used == bytes.size() - 1);
  }
  CHECK_FALSE(read_varint({}, used));
  CHECK_FALSE(read_varint(Bytes{0x80}, used));
  CHECK_FALSE(read_varint(Bytes{0x81, 0x00}, used));
  Bytes big;
  append_varint(big, ~uint64_t{0});
  CHECK_FALSE(read_varint(big, used));
  CHECK(*read_varint(big, used, kMaxProtobufVarint) == ~uint64_t{0});
  big.back() = 0x02;
  CHECK_FALSE(read_varint(big, used, kMaxProtobufVarint));
}

TEST_CASE("every base of multiformats' multibase vectors is written and read as they say") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  const std::map<std::string, std::string> files = {
      {"basic.csv", "yes mani !"},
      {"leading_zero.csv", std::string("\0yes mani !", 11)},
      {"two_leading_zeros.csv", std::string("\0\0yes mani !", 12)}};
  for (const auto& [file, plain] : files) {
    size_t known = 0;
    for (const auto& [name, text] : multibase_rows(*vectors / "multibase" / file)) {
      INFO(file << " " << name);
      const auto base = kBaseNames.find(name);
      if (base == kBaseNames.end()) {
        // The heading, and base256emoji, which is refused as unknown.
        if (name == "base256emoji") CHECK(multibase_decode(text).error().code == Errc::unsupported);
        continue;
      }
      ++known;
      CHECK(multibase_encode(base->second, as_bytes(plain)) == text);
      const auto decoded = multibase_decode(text);
      REQUIRE(decoded);
      CHECK(decoded->base == base->second);
      CHECK(as_text(decoded->bytes) == plain);
    }
    CHECK(known == kBaseNames.size());
  }
  for (const auto& [name, text] : multibase_rows(*vectors / "multibase/case_insensitivity.csv")) {
    if (!kBaseNames.contains(name)) continue;
    INFO("case_insensitivity.csv " << name);
    const auto decoded = multibase_decode(text);
    REQUIRE(decoded);
    CHECK(as_text(decoded->bytes) == "hello world");
  }
}

TEST_CASE("base text with stray bits, wrong padding or foreign characters is refused") {
  for (const auto* text : {"", "f0", "f0g", "baa1", "bab", "ba", "mAB", "MAA", "MAA=", "MAA===",
                           "MAA======", "mAA==", "c======", "mA A", "z0", "k\n", "*", "x"}) {
    INFO(text);
    CHECK_FALSE(multibase_decode(text));
  }
  CHECK(multibase_decode("MAA==")->bytes == Bytes{0});
  CHECK(multibase_decode("f")->bytes.empty());
  CHECK(multibase_decode(std::string("z") + std::string(2000, '2')).error().code ==
        Errc::too_large);
}

TEST_CASE(
    "multiformats' multihash vectors: supported hashes are reproduced, the rest decode and are "
    "refused") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  std::istringstream lines(test::read_file(*vectors / "multihash.csv"));
  std::string line;
  std::getline(lines, line);
  size_t reproduced = 0;
  size_t rows = 0;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string algorithm, bits, input, expected;
    std::getline(cells, algorithm, ',');
    std::getline(cells, bits, ',');
    std::getline(cells, input, ',');
    std::getline(cells, expected, ',');
    INFO("multihash.csv " << line);
    ++rows;
    const Bytes bytes = *from_hex(expected);
    const auto decoded = Multihash::decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded->digest.size() == std::stoul(bits) / 8);
    CHECK(decoded->encode() == bytes);
    const bool is_full =
        (algorithm == "sha2-256" && bits == "256") || (algorithm == "sha2-512" && bits == "512");
    const ByteView preimage = as_bytes(input);  // the digits themselves are what is hashed
    const Status checked = check_hash(*decoded, preimage);
    if (is_full) {
      ++reproduced;
      CHECK(hash(HashCode{decoded->code}, preimage)->encode() == bytes);
      CHECK(checked);
      CHECK(check_hash(*decoded, as_bytes("other")).error().code == Errc::signature);
    } else {
      CHECK(checked.error().code == Errc::unsupported);
    }
  }
  CHECK(rows == 260);
  CHECK(reproduced > 30);
}

TEST_CASE("blake2b-256 of the empty text is that of its specification") {
  CHECK(to_hex(hash(HashCode::blake2b_256, {})->digest) ==
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST_CASE("BLAKE3 is that of its specification where its library is, else refused by name") {
  const Multihash wanted{
      0x1e, *from_hex("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85")};
  const Status checked = check_hash(wanted, as_bytes("abc"));
  if (const auto hashed = hash(HashCode::blake3, as_bytes("abc"))) {
    CHECK(*hashed == wanted);
    CHECK(checked);
    CHECK(check_hash(wanted, as_bytes("abd")).error().code == Errc::signature);
  } else {
    CHECK(checked.error().code == Errc::unsupported);
    CHECK(checked.error().message == "hash 0x1e not supported");
  }
}

TEST_CASE("a CID is read from every multibase and written back in its usual one") {
  const std::string v1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
  const auto cid = Cid::parse(v1);
  REQUIRE(cid);
  CHECK(cid->is(Codec::dag_pb));
  CHECK(cid->to_string() == v1);
  for (const auto base : {Base::base16_upper, Base::base36, Base::base58_btc, Base::base64_url}) {
    CHECK(*Cid::parse(multibase_encode(base, cid->encode())) == *cid);
  }
  const auto v0 = Cid::parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
  REQUIRE(v0);
  CHECK(v0->to_string() == "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
  CHECK(v0->as_v1() == *cid);
  CHECK(block_key(*v0) == block_key(*cid));
  CHECK(*v0 != *cid);
}

TEST_CASE("malformed CIDs are refused") {
  CHECK_FALSE(Cid::parse(""));
  CHECK_FALSE(Cid::parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N"));
  CHECK_FALSE(Cid::parse("zQmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"));
  CHECK_FALSE(Cid::parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0"));
  CHECK_FALSE(Cid::decode(*from_hex("01551202aa")));
  CHECK_FALSE(Cid::decode(*from_hex("02551201aa")));
  CHECK_FALSE(Cid::decode(*from_hex("01d5001201aa")));
  CHECK_FALSE(Cid::decode(*from_hex("01551201aabb")));
  size_t used = 0;
  CHECK(Cid::decode_prefix(*from_hex("01551201aabb"), used));
  CHECK(used == 5);
}

TEST_CASE("an identity CID of 128 bytes is taken, one of 129 is not") {
  const auto cid = make_cid(Codec::raw, Bytes(128, 7), HashCode::identity);
  REQUIRE(cid);
  CHECK(check_block(*cid, Bytes(128, 7)));
  CHECK(check_block(*cid, Bytes(127, 7)).error().code == Errc::signature);
  CHECK(*Cid::decode(cid->encode()) == *cid);
  CHECK_FALSE(make_cid(Codec::raw, Bytes(129, 7), HashCode::identity));
  Cid large = *cid;
  large.hash.digest.push_back(7);
  CHECK_FALSE(Cid::decode(large.encode()));
}
