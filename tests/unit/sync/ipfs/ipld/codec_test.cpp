#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/dag_json.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/ipld/utf8.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

const std::string kLink = "0a0401550000";  // a link with the identity CID of nothing

Result<CborValue> cbor(std::string_view hex, bool canonical = true) {
  return decode_dag_cbor(*from_hex(hex), {.canonical = canonical});
}

}  // namespace

TEST_CASE("DAG-CBOR is written back as it was read") {
  for (const auto* hex : {"00",
                          "17",
                          "1818",
                          "18ff",
                          "190100",
                          "1a00010000",
                          "1bffffffffffffffff",
                          "20",
                          "3863",
                          "3bffffffffffffffff",
                          "40",
                          "43010203",
                          "60",
                          "63e282ac",
                          "80",
                          "83010203",
                          "a0",
                          "a2616101616202",
                          "a2616201626161f6",
                          "f4",
                          "f5",
                          "f6",
                          "fb3ff8000000000000",
                          "fb8000000000000000",
                          "d82a450001550000",
                          "a16161d82a450001550000"}) {
    INFO(hex);
    const auto value = cbor(hex);
    REQUIRE(value);
    CHECK(to_hex(encode_dag_cbor(*value)) == hex);
    CHECK(*cbor(to_hex(encode_dag_cbor(*value))) == *value);
  }
  CHECK(to_hex(encode_dag_cbor({CborMap{{"bb", {}}, {"a", {}}, {"aa", {}}}})) ==
        "a36161f6626161f6626262f6");
}

TEST_CASE("CBOR that is not DAG-CBOR is refused") {
  for (const auto* hex : {"",
                          "1c",
                          "1f",
                          "e0",
                          "f818",
                          "d82b4100",
                          "d82a4100",
                          "d82a4101",
                          "d82a40",
                          "a10101",
                          "a1410101",
                          "a2616101616102",
                          "0000",
                          "8101ff",
                          "a1",
                          "a16161",
                          "82",
                          "9bffffffffffffffff",
                          "bbffffffffffffffff",
                          "5bffffffffffffffff",
                          "61"}) {
    INFO(hex);
    CHECK_FALSE(cbor(hex));
    CHECK_FALSE(cbor(hex, false));
    CHECK_FALSE(dag_cbor_links(*from_hex(hex)));
  }
}

TEST_CASE("what Go lets pass in CBOR is let pass only when asked (F3)") {
  for (const auto* hex : {"1800",
                          "1817",
                          "190001",
                          "1a00000001",
                          "1b0000000000000001",
                          "5801aa",
                          "a2616201616101",
                          "a2626161016162f6",
                          "61ff",
                          "5f4101ff",
                          "5fff",
                          "9f01ff",
                          "9fff",
                          "bf616101ff",
                          "bfff",
                          "f7",
                          "f93e00",
                          "fa3fc00000",
                          "fb7ff0000000000000",
                          "fb7ff8000000000000",
                          "fbfff0000000000000",
                          "c001",
                          "d82a6100",
                          "a1c0616101",
                          "a17f6161ff01"}) {
    INFO(hex);
    CHECK_FALSE(cbor(hex));
    CHECK(cbor(hex, false));
  }
}

TEST_CASE("what Go does not let pass in CBOR is refused in any case (F3)") {
  for (const auto* hex :
       {"5f6101ff", "5f5f4101ffff", "5f4101", "9f01", "bf6161ff", "bf61610161", "ff", "c0ff",
        "c0c001", "c24101", "a25f4161ff0101", "a26161017f6161ff02"}) {
    INFO(hex);
    CHECK_FALSE(cbor(hex, false));
  }
  CHECK(cbor("f93e00", false)->value == CborValue{1.5}.value);
  CHECK(cbor("f90001", false)->value == CborValue{0x1p-24}.value);
  CHECK(cbor("f9fbff", false)->value == CborValue{-65504.0}.value);
  CHECK(cbor("7f61616162ff", false)->value == CborValue{std::string("ab")}.value);
}

TEST_CASE("CBOR that is nested deeply or has many items ends at its bounds") {
  CHECK(decode_dag_cbor(Bytes(100'000, 0x81)).error().code == Errc::too_large);
  Bytes many = *from_hex("9a000fffff");
  many.resize(many.size() + 0xfffff, 0x00);
  CHECK(decode_dag_cbor(many).error().code == Errc::too_large);
  CHECK(dag_cbor_links(many, {.items = 1 << 21})->empty());
}

TEST_CASE("DAG-PB is written back as it was read") {
  for (const std::string& hex :
       {std::string(""), std::string("0a00"), std::string("0a0101"), "1206" + kLink,
        "1208" + kLink + "1200", "120a" + kLink + "12001801",
        "1206" + kLink + "1206" + kLink + "0a0101"}) {
    INFO(hex);
    const auto node = decode_dag_pb(*from_hex(hex));
    REQUIRE(node);
    CHECK(to_hex(encode_dag_pb(*node)) == hex);
  }
}

TEST_CASE("DAG-PB that is out of order, doubled, unknown or short is refused") {
  for (const std::string& hex :
       {std::string("0a010"), "0a01011206" + kLink, std::string("0a01010a0101"),
        std::string("1a00"), std::string("0800"), std::string("0a02ff"), std::string("1200"),
        std::string("12021200"), std::string("12021801"), "120c" + kLink + kLink,
        "1208" + std::string("1200") + kLink, "120a" + kLink + "18011200", "1208" + kLink + "2001",
        "1208" + kLink + "1a00", "1208" + kLink + "1000", std::string("12020a00"), "128600" + kLink,
        "1206" + kLink + "12"}) {
    INFO(hex);
    const auto bytes = from_hex(hex);
    if (bytes) CHECK_FALSE(decode_dag_pb(*bytes));
  }
}

TEST_CASE("dag-json means what dag-cbor does: links, bytes and plain values") {
  const std::string link = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
  const Cid cid = *Cid::parse(link);
  const auto read = [](std::string_view text) { return decode_dag_json(as_bytes(text)); };
  const auto value =
      read(R"({"a":{"/":")" + link +
           R"("},"b":[1,-2,18446744073709551615,-9223372036854775808,1.5,true,)" +
           R"(null,"x"],"c":{"/":{"bytes":"AQID"}},"d":{},"e":{"/":{"x":1}},"f":{"/":7}})");
  REQUIRE(value);
  const CborValue wanted{CborMap{{"a", {cid}},
                                 {"b",
                                  {CborList{{uint64_t{1}},
                                            {CborNegative{1}},
                                            {UINT64_MAX},
                                            {CborNegative{INT64_MAX}},
                                            {1.5},
                                            {true},
                                            {std::monostate{}},
                                            {std::string("x")}}}},
                                 {"c", {Bytes{1, 2, 3}}},
                                 {"d", {CborMap{}}},
                                 {"e", {CborMap{{"/", {CborMap{{"x", {uint64_t{1}}}}}}}}},
                                 {"f", {CborMap{{"/", {uint64_t{7}}}}}}}};
  CHECK(*value == wanted);
  CHECK(*decode_dag_cbor(encode_dag_cbor(*value)) == wanted);
  CHECK(*dag_json_links(as_bytes(R"([{"/":")" + link + R"("},{"x":{"/":")" + link + R"("}}])")) ==
        std::vector{cid, cid});
  CHECK(read(" { \"a\" : 1 } "));
  for (const std::string_view bad :
       {R"({"/":"no CID"})",
        R"({"/":"bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354","x":1})",
        R"({"x":1,"/":{"bytes":"AQID"}})", R"({"/":{"bytes":"AQID","x":1}})",
        R"({"/":{"bytes":"AQI="}})", R"({"/":{"bytes":"A*ID"}})", R"({"a":1,"a":2})", "[1,]", "",
        "{} {}", "18446744073709551616", "-9223372036854775809", "nan", "1e999", "[\"\xff\"]"}) {
    INFO(bad);
    CHECK(read(bad).error().code == Errc::parse);
  }
  CHECK(read(std::string(100, '[') + std::string(100, ']')).error().code == Errc::too_large);
  std::string many = "[";
  for (int i = 0; i < 140'000; ++i) many += "1,";
  CHECK(read(many + "1]").error().code == Errc::too_large);
}

TEST_CASE("UnixFS data reads packed and single block sizes, and passes over modes and times") {
  CHECK(decode_unixfs(*from_hex("0802180320012002"))->blocksizes == std::vector<uint64_t>{1, 2});
  CHECK(decode_unixfs(*from_hex("0802180322020102"))->blocksizes == std::vector<uint64_t>{1, 2});
  const auto with_mode_and_time = decode_unixfs(*from_hex("080138a4034206088094ebdc03"));
  REQUIRE(with_mode_and_time);
  CHECK(with_mode_and_time->type == UnixfsType::directory);
  CHECK_FALSE(decode_unixfs(*from_hex("080138a4034205088094ebdc03")));
  CHECK_FALSE(decode_unixfs(*from_hex("")));
  CHECK_FALSE(decode_unixfs(*from_hex("0806")));
  CHECK_FALSE(decode_unixfs(*from_hex("1803")));
  CHECK_FALSE(decode_unixfs(*from_hex("08021205")));
  const UnixfsData data{UnixfsType::file, Bytes{1}, 3, {1, 1}, 5, 6};
  CHECK(*decode_unixfs(encode_unixfs(data)) == data);
}

TEST_CASE("UTF-8 is told from bytes that only look like it") {
  for (const auto* good : {"", "abc", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x9a\x80",
                           "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    CHECK(is_utf8(good));
  }
  for (const auto* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "\xc3("}) {
    CHECK_FALSE(is_utf8(bad));
  }
}
