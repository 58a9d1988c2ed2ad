#include "ipnscast/tools/bench/cache.h"

#include <algorithm>
#include <functional>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/resolve/record_cache.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kThings = 1'000;
constexpr size_t kAsked = 20'000;
constexpr double kInMemory = 10;  // microseconds
constexpr double kOnDisk = 200;

// Asks for the things in turn, in an order that is not that of their making.
Result<CacheHit> measure(std::string what, double target, const std::function<bool(size_t)>& ask) {
  std::vector<double> took;
  took.reserve(kAsked);
  for (size_t i = 0; i < kAsked; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const bool there = ask(i * 7919 % kThings);
    took.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
    if (!there) return fail(Errc::internal, "bench: " + what + " is not there");
  }
  std::sort(took.begin(), took.end());
  return CacheHit{std::move(what), target, took[kAsked / 2], took[kAsked * 99 / 100]};
}

Result<CacheHit> records() {
  sync::RecordCache cache({});
  const Now now = system_now();
  std::vector<sync::IpnsName> names;
  for (size_t i = 0; i < kThings; ++i) {
    const auto key = sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
    if (!key) return fail(key.error());
    const auto record =
        sync::create_record(*key, {.value = "/ipfs/bafkqaaa",
                                   .sequence = sync::Sequence{i},
                                   .eol = sync::Eol::after(now.wall, std::chrono::hours(48))});
    if (!record) return fail(record.error());
    names.push_back(key->name());
    cache.put(names.back(), *record, now);
  }
  return measure("record, in memory", kInMemory,
                 [&](size_t i) { return cache.fresh(names[i], now) != nullptr; });
}

Result<CacheHit> blocks(const std::string& what, double target, size_t size, size_t memory,
                        const std::filesystem::path& directory) {
  auto cache = sync::BlockCache::open(directory, {.memory_bytes = memory});
  if (!cache) return fail(cache.error());
  std::vector<sync::Cid> cids;
  for (size_t i = 0; i < kThings; ++i) {
    const Bytes block = random_bytes(size);
    const auto cid = sync::make_cid(sync::Codec::raw, block);
    if (!cid) return fail(cid.error());
    if (Status put = (*cache)->put(*cid, block); !put) return fail(put.error());
    cids.push_back(*cid);
  }
  return measure(what, target, [&](size_t i) {
    const auto block = (*cache)->get(cids[i]);
    return block && *block;
  });
}

}  // namespace

Result<std::vector<CacheHit>> bench_cache(const std::filesystem::path& directory) {
  const auto work = directory / ("ipnscast-bench-" + to_hex(random_bytes(8)));
  const auto run = [&](int number) -> Result<CacheHit> {
    switch (number) {
      case 0:
        return records();
      case 1:
        return blocks("block of 2 KiB, in memory", kInMemory, 2048, size_t{64} << 20, work / "1");
      case 2:
        return blocks("block of 2 KiB, from SQLite", kOnDisk, 2048, 0, work / "2");
      default:
        return blocks("block of 256 KiB, from its file", kOnDisk, 256 * 1024, 0, work / "3");
    }
  };
  std::vector<CacheHit> out;
  Status failed;
  for (int number = 0; number < 4 && failed; ++number) {
    auto hit = run(number);
    if (hit)
      out.push_back(std::move(*hit));
    else
      failed = fail(hit.error());
  }
  std::error_code ignored;
  std::filesystem::remove_all(work, ignored);
  if (!failed) return fail(failed.error());
  return out;
}

}  // namespace ipnscast::tools
