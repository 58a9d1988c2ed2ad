#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <unordered_set>

#include "ipnscast/sync/ipfs/unixfs/hamt.h"

namespace ipnscast::sync {
namespace {

// What every shard but the first is checked for.
Status check_continues(const UnixfsNode& node, uint64_t fanout) {
  if (node.data.type != UnixfsType::hamt_shard || node.data.fanout != fanout)
    return fail(Errc::parse, "unixfs: a shard that does not continue the one above");
  // With entries a shard fits one place only; an empty one could be linked over and over and cost
  // time only.
  if (node.links.empty()) return fail(Errc::parse, "unixfs: an empty shard");
  return {};
}

Result<UnixfsNode> read_shard(DagBudget& budget, BlockSource& source, const Cid& cid,
                              uint64_t fanout) {
  const auto block = budget.read(source, cid);
  if (!block) return fail(block.error());
  auto node = decode_node(cid, *block);
  if (!node) return node;
  if (Status status = check_continues(*node, fanout); !status) return fail(status.error());
  return node;
}

// decode_node() lets no shard pass without one.
uint64_t fanout_of(const UnixfsNode& node) { return node.data.fanout.value_or(8); }

std::string name_of(const PbLink& link) { return link.name.value_or(std::string()); }

unsigned bits_of(uint64_t fanout) { return static_cast<unsigned>(std::countr_zero(fanout)); }

std::optional<uint64_t> parse_slot(std::string_view text, uint64_t fanout) {
  uint64_t out = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'A' || c > 'F')) return std::nullopt;
    out = out << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'A' + 10);
  }
  if (out >= fanout) return std::nullopt;
  return out;
}

// The bits of a name's hash that lead to a shard, and how many.
struct ShardWay {
  uint64_t path = 0;
  unsigned bits = 0;
};

// The way to a shard that is looked at by itself, as the hashes of its entries tell it: none to
// that of a whole directory, more to one from inside.
ShardWay way_to(const UnixfsNode& node) {
  const uint64_t fanout = fanout_of(node);
  const unsigned bits = bits_of(fanout);
  const size_t width = hamt_prefix(0, fanout).size();
  for (unsigned used = 0; used + bits <= 64; used += bits) {
    std::optional<uint64_t> path;
    bool fits = true;
    for (size_t i = 0; fits && i < node.links.size(); ++i) {
      const std::string text = name_of(node.links[i]);
      if (text.size() <= width) continue;
      const uint64_t hash = hamt_hash(text.substr(width));
      const uint64_t above = used == 0 ? 0 : hash >> (64 - used);
      fits = parse_slot(std::string_view(text).substr(0, width), fanout) ==
                 (hash >> (64 - used - bits) & (fanout - 1)) &&
             path.value_or(above) == above;
      path = above;
    }
    if (fits) return {path.value_or(0), used};
  }
  return {};
}

const PbLink* first_entry(const UnixfsNode& node, size_t width) {
  const auto found = std::ranges::find_if(
      node.links, [width](const PbLink& link) { return link.name && link.name->size() > width; });
  return found == node.links.end() ? nullptr : &*found;
}

// The same for a shard that has no entries of its own: one further down tells, by the slots that
// lead to it.
Result<ShardWay> way_to(DagBudget& budget, BlockSource& source, const UnixfsNode& node) {
  const uint64_t fanout = fanout_of(node);
  const unsigned bits = bits_of(fanout);
  const size_t width = hamt_prefix(0, fanout).size();
  if (node.links.empty() || first_entry(node, width) != nullptr) return way_to(node);
  uint64_t below = 0;
  UnixfsNode at = node;
  const PbLink* entry = nullptr;
  unsigned depth = bits;
  for (;; depth += bits) {
    if (depth > 64 || at.links.empty()) return ShardWay{};
    entry = first_entry(at, width);
    const PbLink& link = entry != nullptr ? *entry : at.links.front();
    const auto slot = parse_slot(std::string_view(*link.name).substr(0, width), fanout);
    if (!slot) return ShardWay{};
    below = below << bits | *slot;
    if (entry != nullptr) break;
    auto child = read_shard(budget, source, link.cid, fanout);
    if (!child) return fail(child.error());
    at = std::move(*child);
  }
  const uint64_t hash = hamt_hash(entry->name->substr(width));
  for (unsigned used = 0; used + depth <= 64; used += bits) {
    const uint64_t slots = used == 0 ? hash : hash << used;
    if (slots >> (64 - depth) == below) return ShardWay{used == 0 ? 0 : hash >> (64 - used), used};
  }
  return ShardWay{};
}

class Lister {
 public:
  Lister(DagBudget& budget, BlockSource& source, const OnEntry& on_entry)
      : budget_(budget), source_(source), on_entry_(on_entry) {}

  Status plain(const UnixfsNode& node) {
    std::unordered_set<std::string_view> seen;
    for (const PbLink& link : node.links) {
      const std::string_view name = link.name ? std::string_view(*link.name) : std::string_view();
      if (!seen.insert(name).second) continue;
      Status taken = on_entry_(std::string(name), link.cid);
      if (!taken) return taken;
    }
    return {};
  }

  // `path` has the bits of the slots that led here. A name fits the slots of its hash only, and
  // each slot once: so no name comes twice.
  Status shard(const UnixfsNode& node, uint64_t path, unsigned bits_used) {
    const uint64_t fanout = fanout_of(node);
    const unsigned bits = bits_of(fanout);
    if (bits_used + bits > 64) return fail(Errc::parse, "unixfs: shards nested too deeply");
    const size_t width = hamt_prefix(0, fanout).size();
    std::vector<bool> filled(fanout);
    for (const PbLink& link : node.links) {
      const std::string text = name_of(link);
      const auto slot = parse_slot(text.substr(0, width), fanout);
      if (text.size() < width || !slot)
        return fail(Errc::parse, "unixfs: a shard's link with a bad slot");
      if (filled[*slot]) return fail(Errc::parse, "unixfs: a shard with two links in one slot");
      filled[*slot] = true;
      const std::string name = text.substr(width);
      const uint64_t below = path << bits | *slot;
      if (name.empty()) {
        Status listed = deeper(link.cid, fanout, below, bits_used + bits);
        if (!listed) return listed;
        continue;
      }
      if (hamt_hash(name) >> (64 - bits_used - bits) != below) {
        return fail(Errc::parse, "unixfs: an entry in a shard where nobody would find it");
      }
      Status taken = on_entry_(name, link.cid);
      if (!taken) return taken;
    }
    return {};
  }

 private:
  Status deeper(const Cid& cid, uint64_t fanout, uint64_t path, unsigned bits_used) {
    const auto child = read_shard(budget_, source_, cid, fanout);
    if (!child) return fail(child.error());
    Status listed = budget_.open(child->links.size());
    if (!listed) return listed;
    listed = shard(*child, path, bits_used);
    budget_.close(child->links.size());
    return listed;
  }

  DagBudget& budget_;
  BlockSource& source_;
  const OnEntry& on_entry_;
};

tl::unexpected<Error> no_entry(const std::string& name) {
  return fail(Errc::not_found, "no entry of the name " + name);
}

}  // namespace

Status read_directory(BlockSource& source, const UnixfsNode& node, const OnEntry& on_entry) {
  DagBudget budget{DagLimits{}};
  return read_directory(budget, source, node, on_entry);
}

Status read_directory(DagBudget& budget, BlockSource& source, const UnixfsNode& node,
                      const OnEntry& on_entry) {
  Lister lister(budget, source, on_entry);
  if (node.data.type == UnixfsType::hamt_shard) {
    const auto way = way_to(budget, source, node);
    if (!way) return fail(way.error());
    return lister.shard(node, way->path, way->bits);
  }
  if (node.data.type != UnixfsType::directory) return fail(Errc::parse, "unixfs: no directory");
  return lister.plain(node);
}

Result<DirectoryStep> directory_step(const UnixfsNode& node, const std::string& name,
                                     ShardPlace place) {
  if (!node.is_directory()) return fail(Errc::mismatch, "no directory");
  if (place.fanout != 0) {
    if (Status status = check_continues(node, place.fanout); !status) return fail(status.error());
  }
  if (node.data.type == UnixfsType::directory) {
    for (const PbLink& link : node.links) {
      if (link.name == name) return DirectoryStep{link.cid, true, {}};
    }
    return no_entry(name);
  }
  const uint64_t fanout = fanout_of(node);
  if (place.fanout == 0) place.bits = way_to(node).bits;
  const auto slot = hamt_slot(hamt_hash(name), place.bits, fanout);
  if (!slot) return no_entry(name);
  const std::string prefix = hamt_prefix(*slot, fanout);
  const PbLink* down = nullptr;
  for (const PbLink& link : node.links) {
    if (link.name == prefix + name && !name.empty()) return DirectoryStep{link.cid, true, {}};
    if (link.name == prefix) down = &link;
  }
  if (down == nullptr) return no_entry(name);
  return DirectoryStep{down->cid, false, {fanout, place.bits + bits_of(fanout)}};
}

Result<std::vector<DirectoryStep>> deeper_shards(const UnixfsNode& node, ShardPlace place) {
  if (place.fanout != 0) {
    if (Status status = check_continues(node, place.fanout); !status) return fail(status.error());
  }
  const uint64_t fanout = fanout_of(node);
  if (place.fanout == 0) place.bits = way_to(node).bits;
  const ShardPlace below{fanout, place.bits + bits_of(fanout)};
  if (below.bits > 64) return fail(Errc::parse, "unixfs: shards nested too deeply");
  std::vector<DirectoryStep> out;
  for (const PbLink& link : node.links) {
    if (name_of(link).size() == hamt_prefix(0, fanout).size())
      out.push_back({link.cid, false, below});
  }
  return out;
}

}  // namespace ipnscast::sync
