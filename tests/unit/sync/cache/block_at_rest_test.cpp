// What the block cache leaves on the disk once it is to be encrypted.
#include <fstream>
#include <sstream>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::BlockTable;
using ipnscast::test::TempDir;

namespace {

constexpr const char* kSmall = "a small secret that nobody else should read";
constexpr const char* kDeleted = "an old secret that was given up long ago";

std::shared_ptr<const AtRest> cipher(uint8_t fill) {
  return std::make_shared<const AtRest>(SecretBytes<32>::from(Bytes(32, fill)));
}

std::string large() {
  std::string out;
  while (out.size() < 300'000) out += "a large secret, repeated; ";
  return out;
}

std::unique_ptr<BlockCache> open(const TempDir& at, std::shared_ptr<const AtRest> key,
                                 uint64_t max_bytes = uint64_t{1} << 30) {
  BlockCacheOptions options;
  options.max_bytes = max_bytes;
  options.memory_bytes = 0;
  options.at_rest = std::move(key);
  auto cache = BlockCache::open(at.path(), options);
  REQUIRE(cache);
  return std::move(*cache);
}

// Whether any file below has this text.
bool on_disk(const TempDir& at, std::string_view text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(at.path())) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream all;
    all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    if (all.str().find(text) != std::string::npos) return true;
  }
  return false;
}

std::string text_of(BlockCache& cache, const Cid& cid) {
  const auto block = cache.get(cid);
  REQUIRE(block);
  return *block ? std::string(as_text(**block)) : std::string("absent");
}

}  // namespace

TEST_CASE("sealed bytes open with their key, at their place, and unaltered only (S0-22)") {
  const auto key = cipher(1);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{70'000}}) {
    const Bytes plain = random_bytes(size);
    const Bytes sealed = key->seal(plain, as_bytes("place"));
    CHECK(sealed.size() == size + AtRest::kOverhead);
    CHECK(*key->open(sealed, as_bytes("place")) == plain);
    CHECK(key->seal(plain, as_bytes("place")) != sealed);
    CHECK_FALSE(key->open(sealed, as_bytes("other")));
    CHECK_FALSE(cipher(2)->open(sealed, as_bytes("place")));
    for (const size_t at : {size_t{0}, sealed.size() / 2, sealed.size() - 1}) {
      Bytes altered = sealed;
      altered[at] ^= 1;
      CHECK_FALSE(key->open(altered, as_bytes("place")));
    }
    CHECK_FALSE(key->open(ByteView(sealed).first(sealed.size() - 1), as_bytes("place")));
  }
  CHECK_FALSE(key->open({}, as_bytes("place")));
}

TEST_CASE(
    "an encrypted cache leaves nothing to read on the disk, and needs its key (S0-08, S0-22)") {
  const TempDir at;
  BlockTable table;
  const Cid small = table.add_raw(kSmall);
  const Cid big = table.add_raw(large());
  const Cid empty = table.add_raw("");
  {
    auto cache = open(at, cipher(1));
    for (const Cid& cid : {small, big, empty})
      REQUIRE(cache->put(cid, as_bytes(*table.find(cid.to_string()))));
    CHECK(text_of(*cache, big) == large());
    CHECK(cache->stats().bytes == std::string(kSmall).size() + large().size());
  }
  CHECK_FALSE(on_disk(at, kSmall));
  CHECK_FALSE(on_disk(at, "a large secret"));
  {
    auto cache = open(at, cipher(1));
    CHECK(text_of(*cache, small) == kSmall);
    CHECK(text_of(*cache, big) == large());
    CHECK(text_of(*cache, empty).empty());
  }
  BlockCacheOptions other;
  other.at_rest = cipher(2);
  CHECK(BlockCache::open(at.path(), other).error().code == Errc::refused);
  CHECK(BlockCache::open(at.path()).error().message.find("publish.at_rest") != std::string::npos);
}

TEST_CASE("a cache that was in the clear is encrypted as a whole, also what it had given up") {
  const TempDir at;
  BlockTable table;
  const Cid small = table.add_raw(kSmall);
  const Cid big = table.add_raw(large());
  {
    auto cache = open(at, nullptr, 400'000);
    for (int i = 0; i < 200; ++i) {  // pushed out by what comes after
      const std::string text = std::string(kDeleted) + std::string(4'000, 'x') + std::to_string(i);
      REQUIRE(cache->put(table.add_raw(text), as_bytes(text)));
    }
    REQUIRE(cache->put(big, as_bytes(large())));
    REQUIRE(cache->put(small, as_bytes(kSmall)));
    for (int i = 0; i < 30; ++i) {
      const std::string text = std::string(9'000, 'y') + std::to_string(i);
      REQUIRE(cache->put(table.add_raw(text), as_bytes(text)));
    }
    REQUIRE(cache->put(big, as_bytes(large())));
    REQUIRE(cache->put(small, as_bytes(kSmall)));
  }
  REQUIRE(on_disk(at, kSmall));
  {
    auto cache = open(at, cipher(1));
    CHECK(text_of(*cache, small) == kSmall);
    CHECK(text_of(*cache, big) == large());
  }
  CHECK_FALSE(on_disk(at, kSmall));
  CHECK_FALSE(on_disk(at, "a large secret"));
  CHECK_FALSE(on_disk(at, kDeleted));
}

TEST_CASE("an encryption that was cut short on the way is finished by the next run") {
  const TempDir at;
  BlockTable table;
  const Cid one = table.add_raw(large());
  const Cid two = table.add_raw(large() + "two");
  {
    auto cache = open(at, nullptr);
    REQUIRE(cache->put(one, as_bytes(large())));
    REQUIRE(cache->put(two, as_bytes(large() + "two")));
  }
  // As kill -9 leaves it: one file is sealed, one beside it half written, nothing is committed.
  const Bytes key = block_key(one);
  const Bytes sealed = cipher(1)->seal(as_bytes(large()), key);
  std::ofstream(at.path() / "large" / "1", std::ios::binary) << as_text(sealed);
  std::ofstream(at.path() / "large" / "2.new", std::ios::binary) << "half of it";
  {
    auto cache = open(at, cipher(1));
    CHECK(text_of(*cache, one) == large());
    CHECK(text_of(*cache, two) == large() + "two");
  }
  CHECK_FALSE(std::filesystem::exists(at.path() / "large" / "2.new"));
  CHECK_FALSE(on_disk(at, "a large secret"));
}
