#include "ipnscast/sync/resolve/record_cache.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr UnixMillis kEpoch{1'800'000'000'000};

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

IpnsRecord record(uint64_t sequence) {
  return *create_record(key(), {.value = "/ipfs/bafkqaaa",
                                .sequence = {sequence},
                                .eol = Eol::after(kEpoch, std::chrono::hours(48)),
                                .ttl = std::chrono::minutes(5)});
}

Now at(int ms) {
  return {Instant{} + std::chrono::hours(1) + Milliseconds(ms), {kEpoch.value + ms}};
}

}  // namespace

TEST_CASE("an ETag lives as long as the record that it came with is the best known") {
  RecordCache cache({});
  const IpnsName name = key().name();
  CHECK(cache.put(name, record(1), at(0)));
  cache.note_etag(name, 0, "\"one\"");
  CHECK(cache.put(name, record(1), at(1)));
  CHECK(cache.etag(name, 0) == "\"one\"");
  CHECK(cache.put(name, record(2), at(2)));
  CHECK(cache.etag(name, 0).empty());
  CHECK_FALSE(cache.put(name, record(1), at(3)));
  CHECK(cache.known(name)->fields().sequence.value == 2);
}

TEST_CASE("how long records and \"not found\" are kept is the configuration's to say (S1-09)") {
  RecordCache cache({.longest = Milliseconds(100), .negative = Milliseconds(50)});
  const IpnsName name = key().name();
  cache.note_missing(name, 3, at(0));
  CHECK(cache.missing(name, 3, at(49)));
  CHECK_FALSE(cache.missing(name, 3, at(50)));
  CHECK_FALSE(cache.missing(name, 2, at(0)));
  cache.put(name, record(1), at(60));
  CHECK(cache.fresh(name, at(159)) != nullptr);
  CHECK(cache.fresh(name, at(160)) == nullptr);
}

// As resolver_pace_test.cpp for one name and the whole resolver; here many names share the cache.
TEST_CASE(
    "the names of an application that looks each 10 to 30 s do not crowd each other (S1-09)") {
  RecordCache cache({});
  std::vector<IpnsName> names;
  for (uint8_t i = 0; i < 20; ++i)
    names.push_back(IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, i))->name());
  const IpnsRecord any = record(1);
  std::vector<int> asked_last(names.size(), 0);
  uint32_t random = 1;
  const auto next_random = [&] { return (random = random * 1103515245U + 12345U) >> 16; };
  for (int second = 0; second < 3'600; ++second) {
    const Now now = at(second * 1'000);
    for (size_t i = 0; i < names.size(); ++i) {
      if (second < asked_last[i] + 10 + static_cast<int>(next_random() % 20)) continue;
      asked_last[i] = second;
      if (cache.fresh(names[i], now) == nullptr) cache.put(names[i], any, now);
    }
  }
  const auto stats = cache.stats();
  const double rate =
      static_cast<double>(stats.hits) / static_cast<double>(stats.hits + stats.misses);
  INFO("hits " << stats.hits << ", misses " << stats.misses);
  CHECK(stats.hits + stats.misses > 2'000);
  CHECK(rate > 0.6);
}
