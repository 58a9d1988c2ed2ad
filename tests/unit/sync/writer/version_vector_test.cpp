#include "ipnscast/sync/writer/version_vector.h"

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

IpnsKey key(uint8_t number) { return *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, number)); }
DeviceTag tag(uint8_t number) {
  DeviceTag out;
  out.bytes.fill(number);
  return out;
}
VersionVector vector_of_two() {
  VersionVector out;
  out.raise(tag(1), {3, {7}});
  out.raise(tag(2), {1, {9}});
  return out;
}
CborValue entry(CborValue tag, CborValue count, CborValue sequence) {
  return {CborList{std::move(tag), std::move(count), std::move(sequence)}};
}
Bytes raw_tag(uint8_t number) { return Bytes(8, number); }

}  // namespace

TEST_CASE("a version vector comes back from a signed record as it was put in (S2-10, S3-03)") {
  const VersionVector vector = vector_of_two();
  const auto record = create_record(key(1), {.value = "/ipfs/bafkqaaa",
                                             .sequence = {9},
                                             .eol = {4'000'000'000, 0},
                                             .extra = {{kVectorKey, encode_vector(vector)}}});
  REQUIRE(record);
  const auto read = verify_record(key(1).name(), record->bytes(), {1'790'000'000'000});
  REQUIRE(read);
  CHECK(vector_of(read->fields()) == vector);
}

TEST_CASE("32 writers fit into a record, and the one with the lowest sequence makes room") {
  VersionVector vector;
  for (uint8_t i = 0; i < 33; ++i) vector.raise(tag(i), {kMaxSequence, {kMaxSequence - 32 + i}});
  CHECK(vector.entries().size() == VersionVector::kMaxEntries);
  CHECK_FALSE(vector.of(tag(0)));
  CHECK(vector.of(tag(1)));
  CHECK(decode_vector(encode_vector(vector)) == vector);
  // The one that writes is never the one that goes.
  vector.raise(tag(40), {1, {1}});
  CHECK(vector.of(tag(40)));
  CHECK_FALSE(vector.of(tag(1)));
  VersionVector other;
  other.raise(tag(50), {1, {kMaxSequence}});
  vector.merge(other);
  CHECK(vector.entries().size() == VersionVector::kMaxEntries);
  CHECK(vector.of(tag(50)));
  const auto record = create_record(key(1), {.value = "/ipfs/bafkqaaa",
                                             .sequence = {9},
                                             .eol = {4'000'000'000, 0},
                                             .extra = {{kVectorKey, encode_vector(vector)}}});
  CHECK(record);
}

TEST_CASE("a device's tag is its own, per record key, and says nothing of its id") {
  CHECK(device_tag(key(1), "laptop") == device_tag(key(1), "laptop"));
  CHECK(device_tag(key(1), "laptop") != device_tag(key(1), "phone"));
  CHECK(device_tag(key(1), "laptop") != device_tag(key(2), "laptop"));
}

TEST_CASE("a version contains a publish exactly when its vector reaches the count (S3-09)") {
  VersionVector a = vector_of_two();
  a.raise(tag(1), {2, {20}});  // an older count changes nothing
  CHECK(a.of(tag(1))->count == 3);
  CHECK(a.of(tag(1))->sequence == Sequence{7});
  CHECK_FALSE(a.of(tag(3)));
  VersionVector b;
  b.raise(tag(1), {5, {8}});
  b.raise(tag(3), {1, {8}});
  b.merge(a);
  CHECK(b.of(tag(1))->count == 5);
  CHECK(b.of(tag(2))->count == 1);
  CHECK(b.of(tag(3))->count == 1);
  CHECK(b.writer_of({9}) == tag(2));
  VersionVector both = a;
  both.join({20}, b, {20});
  CHECK(both.of(tag(1))->count == 5);
  CHECK(both.of(tag(2))->count == 1);
  CHECK_FALSE(both.of(tag(3)));
  // A version of sequence 8 contains nothing that came after it.
  both = a;
  both.join({8}, b, {20});
  CHECK(both.of(tag(3)) == VersionVector::Entry{1, {8}});
  b.raise(tag(2), {4, {10}});
  b.forget_last();
  CHECK(b.of(tag(2))->count == 0);
}

TEST_CASE("a version vector of any other form is taken for none") {
  const auto none = [](const CborValue& value) {
    return !decode_vector(encode_dag_cbor(value)).has_value();
  };
  CHECK(decode_vector(encode_dag_cbor({CborList{}})) == VersionVector{});
  CHECK_FALSE(none({CborList{entry({raw_tag(1)}, {uint64_t{1}}, {uint64_t{1}})}}));
  CHECK(none({CborMap{}}));
  CHECK(none({std::string("x")}));
  CHECK(none({CborList{{uint64_t{1}}}}));
  CHECK(none({CborList{entry({Bytes(7, 1)}, {uint64_t{1}}, {uint64_t{1}})}}));
  CHECK(none({CborList{entry({std::string("12345678")}, {uint64_t{1}}, {uint64_t{1}})}}));
  CHECK(none({CborList{entry({raw_tag(1)}, {1.0}, {uint64_t{1}})}}));
  CHECK(none({CborList{entry({raw_tag(1)}, {CborNegative{0}}, {uint64_t{1}})}}));
  CHECK(none({CborList{entry({raw_tag(1)}, {uint64_t{1} << 63}, {uint64_t{1}})}}));
  CHECK(none({CborList{entry({raw_tag(1)}, {uint64_t{1}}, {uint64_t{1} << 63})}}));
  const CborValue one = entry({raw_tag(1)}, {uint64_t{1}}, {uint64_t{1}});
  const CborValue two = entry({raw_tag(2)}, {uint64_t{1}}, {uint64_t{1}});
  CHECK_FALSE(none({CborList{one, two}}));
  CHECK(none({CborList{one, one}}));
  CHECK(none({CborList{two, one}}));
  CborList many;
  for (uint8_t i = 0; i < 33; ++i)
    many.push_back(entry({raw_tag(i)}, {uint64_t{1}}, {uint64_t{1}}));
  CHECK(none({std::move(many)}));
  // Bytes that are cut, left over, or not in their shortest form.
  const Bytes good = encode_vector(vector_of_two());
  for (size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(decode_vector(ByteView(good).first(size)));
  Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(decode_vector(longer));
  CHECK_FALSE(decode_vector(Bytes{0x98, 0x00}));
  CHECK_FALSE(decode_vector(Bytes(5'000, 0x81)));
}
