#include "ipnscast/sync/ipfs/unixfs/directory_packer.h"

#include <span>

#include "ipnscast/sync/ipfs/unixfs/hamt.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kShardFrom = 256 << 10;  // beyond, not at
constexpr uint64_t kFanout = 256;
constexpr unsigned kBitsPerLevel = 8;

PbLink link_to(const PackedEntry& entry, std::string name) {
  return {entry.cid, std::move(name), entry.tsize};
}

Bytes directory_data() { return encode_unixfs({.type = UnixfsType::directory}); }

bool needs_shards(const std::vector<NamedEntry>& entries, const PackProfile& profile) {
  size_t size = profile.shards_by_block_size ? directory_data().size() + 2 : 0;
  for (const NamedEntry& entry : entries) {
    size += profile.shards_by_block_size ? encoded_size(link_to(entry.entry, entry.name))
                                         : entry.name.size() + entry.entry.cid.encode().size();
    if (size > kShardFrom) return true;
  }
  return false;
}

struct HashedEntry {
  uint64_t hash = 0;
  const NamedEntry* entry = nullptr;
};

// The entries, sorted by hash, share the bits above `bits_used`.
Result<PackedEntry> make_shard(std::span<const HashedEntry> entries, unsigned bits_used,
                               BlockSink& sink) {
  PbNode node;
  Bytes bit_field(kFanout / 8);
  while (!entries.empty()) {
    const auto slot = hamt_slot(entries.front().hash, bits_used, kFanout);
    if (!slot) return fail(Errc::unsupported, "directory: names with the same hash");
    size_t count = 1;
    while (count < entries.size() && hamt_slot(entries[count].hash, bits_used, kFanout) == slot)
      ++count;
    bit_field[bit_field.size() - 1 - *slot / 8] |= static_cast<uint8_t>(1u << *slot % 8);
    const std::string prefix = hamt_prefix(*slot, kFanout);
    if (count == 1) {
      const NamedEntry& entry = *entries.front().entry;
      node.links.push_back(link_to(entry.entry, prefix + entry.name));
    } else {
      auto shard = make_shard(entries.first(count), bits_used + kBitsPerLevel, sink);
      if (!shard) return shard;
      node.links.push_back(link_to(*shard, prefix));
    }
    entries = entries.subspan(count);
  }
  // As other implementations write a number: without leading zeros.
  bit_field.erase(bit_field.begin(),
                  std::ranges::find_if(bit_field, [](uint8_t b) { return b != 0; }));
  UnixfsData data{.type = UnixfsType::hamt_shard};
  data.data = std::move(bit_field);
  data.hash_type = kHamtMurmur3;
  data.fanout = kFanout;
  node.data = encode_unixfs(data);
  return put_node(node, sink);
}

Result<PackedEntry> make_shards(const std::vector<NamedEntry>& entries, BlockSink& sink) {
  std::vector<HashedEntry> hashed;
  hashed.reserve(entries.size());
  for (const NamedEntry& entry : entries) hashed.push_back({hamt_hash(entry.name), &entry});
  std::ranges::sort(hashed, {}, &HashedEntry::hash);
  return make_shard(hashed, 0, sink);
}

}  // namespace

Result<PackedEntry> pack_directory(std::vector<NamedEntry> entries, const PackProfile& profile,
                                   BlockSink& sink) {
  std::ranges::sort(entries, {}, &NamedEntry::name);
  const auto twice = std::ranges::adjacent_find(entries, {}, &NamedEntry::name);
  if (twice != entries.end()) return fail(Errc::invalid, "directory: a name twice: " + twice->name);
  if (needs_shards(entries, profile)) return make_shards(entries, sink);
  PbNode node;
  node.links.reserve(entries.size());
  for (const NamedEntry& entry : entries) node.links.push_back(link_to(entry.entry, entry.name));
  node.data = directory_data();
  return put_node(node, sink);
}

Result<PackedEntry> pack_symlink(std::string_view target, BlockSink& sink) {
  UnixfsData data{.type = UnixfsType::symlink};
  data.data = to_bytes(target);
  return put_node({{}, encode_unixfs(data)}, sink);
}

}  // namespace ipnscast::sync
