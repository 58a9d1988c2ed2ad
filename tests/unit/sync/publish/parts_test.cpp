// What publishing decides without a network: members of a record's data, renewals, repairs.
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/publish/repair_limit.h"
#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/sync/writer/renewal.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }
nostr::PublicKey author() { return nostr::SecretKey::generate().public_key(); }
nostr::RelayUrl relay(const std::string& url) { return *nostr::RelayUrl::parse(url); }

// What a reader verifies of a record with this extra data.
IpnsRecord::Fields read_back(std::map<std::string, Bytes> extra) {
  const auto made = create_record(key(), {.value = "/ipfs/bafkqaaa",
                                          .sequence = {1},
                                          .eol = Eol::after(kNow, std::chrono::hours(1)),
                                          .extra = std::move(extra)});
  REQUIRE(made);
  const auto verified = verify_record(key().name(), made->bytes(), kNow);
  REQUIRE(verified);
  return verified->fields();
}

IpnsRecord::Fields with_announcer(CborValue value) {
  return read_back({{kAnnouncerKey, encode_dag_cbor(value)}});
}

}  // namespace

TEST_CASE("a record names its announcer and the value before, signed, and a reader finds both") {
  const Announcer wanted{author(), {relay("wss://one.example"), relay("wss://two.example/x")}};
  const Cid before = *make_cid(Codec::raw, as_bytes("before"));
  const auto fields = read_back(
      {{kAnnouncerKey, encode_announcer(wanted)}, {kPreviousKey, encode_previous(before)}});
  CHECK(announcer_of(fields) == wanted);
  CHECK(previous_of(fields) == before);
  CHECK_FALSE(announcer_of(read_back({})));
  CHECK_FALSE(previous_of(read_back({})));
}

TEST_CASE("relays that others must not be sent to are not written, and not read") {
  Announcer many{author(), {relay("ws://127.0.0.1:7777")}};
  for (int i = 0; i < 12; ++i)
    many.relays.push_back(relay("wss://relay" + std::to_string(i) + ".example"));
  const auto written = announcer_of(read_back({{kAnnouncerKey, encode_announcer(many)}}));
  REQUIRE(written);
  CHECK(written->relays.size() == 8);
  CHECK(written->relays.front() == many.relays[1]);
  CborList list{{std::string("ws://10.0.0.1")}, {uint64_t{7}}, {std::string("nonsense")}};
  for (int i = 0; i < 100; ++i) list.push_back({"wss://r" + std::to_string(i) + ".example"});
  const auto read = announcer_of(
      with_announcer({CborMap{{"pubkey", {to_bytes(author().view())}}, {"relays", {list}}}}));
  REQUIRE(read);
  CHECK(read->relays.size() == 8);
}

TEST_CASE("an announcer of another form is none, and the record stays valid") {
  const Bytes good = to_bytes(author().view());
  CHECK(announcer_of(with_announcer({CborMap{{"pubkey", {good}}}})));
  CHECK_FALSE(announcer_of(with_announcer({CborMap{}})));
  CHECK_FALSE(announcer_of(with_announcer({CborMap{{"pubkey", {Bytes(31, 1)}}}})));
  CHECK_FALSE(announcer_of(with_announcer({CborMap{{"pubkey", {std::string("npub")}}}})));
  CHECK_FALSE(announcer_of(with_announcer({std::string("text")})));
  CHECK_FALSE(previous_of(read_back({{kPreviousKey, encode_dag_cbor({std::string("bafkqaaa")})}})));
}

TEST_CASE("a record is renewed when less than half of its lifetime is left, R22") {
  constexpr auto kLifetime = std::chrono::hours(48);
  const Eol eol = Eol::after(kNow, kLifetime);
  CHECK(renewal_time(eol, kLifetime).value - kNow.value == 24 * 3'600'000);
  // One that somebody made for longer waits longer.
  const Eol far = Eol::after(kNow, std::chrono::hours(1'000));
  CHECK(renewal_time(far, kLifetime).value - kNow.value == (1'000 - 24) * 3'600'000LL);
  CHECK(renewal_time(Eol{INT64_MAX / 1000, 0}, kLifetime).value > kNow.value);
}

TEST_CASE("a renewed record has the same value under the same sequence, and all else it had") {
  const Cid before = *make_cid(Codec::raw, as_bytes("before"));
  const auto old = *create_record(key(), {.value = "/ipfs/bafkqaaa/sub",
                                          .sequence = {41},
                                          .eol = Eol::after(kNow, std::chrono::hours(1)),
                                          .extra = {{kPreviousKey, encode_previous(before)}}});
  const auto options = renewed(old, std::chrono::hours(48), std::chrono::minutes(3), true, kNow);
  const auto fresh = create_record(key(), options);
  REQUIRE(fresh);
  CHECK(better(*fresh, old));
  CHECK(fresh->fields().value == old.fields().value);
  CHECK(fresh->fields().sequence == old.fields().sequence);
  CHECK(fresh->fields().eol == Eol::after(kNow, std::chrono::hours(48)));
  CHECK(fresh->fields().ttl_ns == 180'000'000'000);
  CHECK(previous_of(fresh->fields()) == before);
}

TEST_CASE("a gateway that lags is repaired once a minute for each name, and there is a bound") {
  RepairLimit limit;
  const IpnsName name = key().name();
  const Instant start{std::chrono::hours(1)};
  CHECK(limit.admit(name, 0, start));
  CHECK_FALSE(limit.admit(name, 0, start + Seconds(59)));
  CHECK(limit.admit(name, 1, start + Seconds(59)));
  CHECK(limit.admit(name, 0, start + Seconds(60)));
  for (size_t i = 2; i < RepairLimit::kMost; ++i) CHECK(limit.admit(name, i, start + Seconds(60)));
  CHECK_FALSE(limit.admit(name, RepairLimit::kMost, start + Seconds(61)));
  CHECK(limit.admit(name, RepairLimit::kMost, start + Seconds(121)));
}
