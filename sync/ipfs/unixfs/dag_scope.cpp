#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/dag_json.h"
#include "ipnscast/sync/ipfs/ipld/dag_links.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxSteps = 256;
// Of blocks in different places. A file whose parts are the same block over and over could have
// more of them than anyone can visit. Of content cut as usual they are 256 GiB.
constexpr uint64_t kMaxVisits = uint64_t{1} << 20;

using Place = ScopeGuide::Place;
using PlaceKind = Place::Kind;
using Visit = ScopeGuide::Visit;

Result<int64_t> parse_end(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out == INT64_MIN)
    return fail(Errc::parse, "want FROM:TO, such as 0:99, 100:* or -20:*");
  return out;
}

const CborValue* member_of(const CborValue& value, std::string_view step) {
  if (const auto* map = value.as<CborMap>()) return find_member(*map, step);
  const auto* list = value.as<CborList>();
  size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool is_index = error == std::errc() && end == step.data() + step.size();
  if (list == nullptr || !is_index || index >= list->size()) return nullptr;
  return &(*list)[index];
}

std::vector<Visit> all_at(std::vector<Cid> cids, const Place& place) {
  std::vector<Visit> out;
  out.reserve(cids.size());
  for (Cid& cid : cids) out.push_back({std::move(cid), place});
  return out;
}

}  // namespace

Result<ByteRange> ByteRange::parse(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view first = text.substr(0, colon);
  const std::string_view last = colon < text.size() ? text.substr(colon + 1) : "*";
  ByteRange out;
  if (!first.empty()) {
    const auto from = parse_end(first);
    if (!from) return fail(from.error());
    out.from = *from;
  }
  if (last == "*") return out;
  const auto to = parse_end(last);
  if (!to) return fail(to.error());
  out.to = *to;
  return out;
}

std::string ByteRange::to_string() const {
  return std::to_string(from) + ":" + (to ? std::to_string(*to) : "*");
}

std::pair<uint64_t, uint64_t> ByteRange::within(uint64_t size) const {
  const auto place = [size](int64_t at) {
    if (at >= 0) return std::min(static_cast<uint64_t>(at), size);
    const uint64_t back = static_cast<uint64_t>(-at);
    return back > size ? 0 : size - back;
  };
  const uint64_t begin = place(from);
  if (!to) return {begin, size};
  if (*to < 0 && static_cast<uint64_t>(-*to) > size) return {begin, begin};
  const uint64_t end = std::min(place(*to) + 1, size);
  return {begin, std::max(begin, end)};
}

std::vector<std::string> path_steps(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::string_view step = path.substr(0, path.find('/'));
    if (step == ".." && !out.empty() && out.back() != "..")
      out.pop_back();
    else if (!step.empty() && step != ".")
      out.emplace_back(step);
    path.remove_prefix(std::min(path.size(), step.size() + 1));
  }
  return out;
}

ScopeGuide::ScopeGuide(DagScope scope)
    : scope_(std::move(scope)), steps_(path_steps(scope_.path)) {}

Result<Visit> ScopeGuide::begin(const Cid& root) {
  if (!steps_.empty() && steps_.front() == "..")
    return fail(Errc::mismatch, "path: \"" + scope_.path + "\" leads above its root");
  if (steps_.size() > kMaxSteps) return fail(Errc::too_large, "path: over 256 steps");
  return arrive(root, 0);
}

bool ScopeGuide::looks_into(const Visit& visit) {
  switch (visit.place.kind) {
    case PlaceKind::alone:
      return false;
    case PlaceKind::step:
    case PlaceKind::entity:
      return true;
    default:
      return may_have_links(visit.cid);
  }
}

Visit ScopeGuide::arrive(Cid cid, size_t steps) {
  Place place;
  place.step = static_cast<uint16_t>(steps);
  if (steps < steps_.size()) {
    place.kind = PlaceKind::step;
    return {std::move(cid), place};
  }
  target_ = cid;
  place.kind = scope_.part == DagPart::all     ? PlaceKind::whole
               : scope_.part == DagPart::block ? PlaceKind::alone
                                               : PlaceKind::entity;
  return {std::move(cid), place};
}

Result<std::vector<Visit>> ScopeGuide::links(const Visit& at, ByteView block) {
  if (at.place.kind == PlaceKind::alone) return std::vector<Visit>{};
  if (at.place.kind == PlaceKind::whole) {
    auto links = block_links(at.cid, block);
    if (!links) return fail(links.error());
    return all_at(std::move(*links), at.place);
  }
  auto out = at.place.kind == PlaceKind::step ? step_on(at, block) : entity(at, block);
  if (!out) return out;
  visits_ += out->size();
  if (visits_ > kMaxVisits) return fail(Errc::too_large, "dag: too many parts");
  return out;
}

Result<std::vector<Visit>> ScopeGuide::step_on(const Visit& at, ByteView block) {
  if (at.cid.is(Codec::dag_cbor) || at.cid.is(Codec::dag_json)) return step_in_data(at, block);
  const auto node = decode_node(at.cid, block);
  if (!node) return fail(node.error());
  const std::string& step = steps_[at.place.step];
  if (!node->is_directory())
    return fail(Errc::mismatch, "path: " + step + " is asked of what is no directory");
  auto next = directory_step(*node, step, {at.place.fanout, at.place.bits});
  if (!next) return fail(next.error());
  if (next->is_entry) return std::vector<Visit>{arrive(std::move(next->cid), at.place.step + 1u)};
  Place place = at.place;
  place.fanout = static_cast<uint16_t>(next->below.fanout);
  place.bits = static_cast<uint8_t>(next->below.bits);
  return std::vector<Visit>{{std::move(next->cid), place}};
}

// Goes down inside one block until a link leads out of it.
Result<std::vector<Visit>> ScopeGuide::step_in_data(const Visit& at, ByteView block) {
  const auto decoded = at.cid.is(Codec::dag_json) ? decode_dag_json(block)
                                                  : decode_dag_cbor(block, {.canonical = false});
  if (!decoded) return fail(decoded.error());
  const CborValue* value = &*decoded;
  size_t step = at.place.step;
  do {
    value = member_of(*value, steps_[step]);
    if (value == nullptr) return fail(Errc::not_found, "no member of the name " + steps_[step]);
    ++step;
  } while (value->as<Cid>() == nullptr && step < steps_.size());
  if (value->as<Cid>() == nullptr)
    return fail(Errc::mismatch, "the path ends inside a block, not at a link");
  return std::vector<Visit>{arrive(*value->as<Cid>(), step)};
}

Result<std::vector<Visit>> ScopeGuide::entity(const Visit& at, ByteView block) {
  const auto node = decode_node(at.cid, block);
  if (at.place.kind == PlaceKind::entity) {
    if (!node) return std::vector<Visit>{};  // no file tree: the block is the entity
    if (scope_.bytes) std::tie(first_, end_) = scope_.bytes->within(node->size());
    if (node->is_file() && !scope_.bytes) {
      std::vector<Visit> out;
      for (const PbLink& link : node->links) out.push_back({link.cid, {}});
      return out;
    }
  }
  if (!node) return fail(node.error());
  if (node->is_file()) return parts(at, *node);
  if (at.place.kind == PlaceKind::part)
    return fail(Errc::parse, "unixfs: a part of a file is not what its parent says");
  std::vector<Visit> out;
  if (node->data.type != UnixfsType::hamt_shard) return out;
  auto shards = deeper_shards(*node, {at.place.fanout, at.place.bits});
  if (!shards) return fail(shards.error());
  Place place = at.place;
  place.kind = PlaceKind::listing;
  for (DirectoryStep& shard : *shards) {
    place.fanout = static_cast<uint16_t>(shard.below.fanout);
    place.bits = static_cast<uint8_t>(shard.below.bits);
    out.push_back({std::move(shard.cid), place});
  }
  return out;
}

Result<std::vector<Visit>> ScopeGuide::parts(const Visit& at, const UnixfsNode& node) const {
  std::vector<Visit> out;
  if (first_ >= end_) return out;  // no byte is meant, also where the range stands inside a part
  uint64_t offset = at.place.offset + (node.data.data ? node.data.data->size() : 0);
  for (size_t i = 0; i < node.links.size() && offset < end_; ++i) {
    const uint64_t size = node.data.blocksizes[i];
    if (size > UINT64_MAX - offset) return fail(Errc::parse, "unixfs: parts beyond any size");
    if (offset + size > first_ && size > 0) {
      out.push_back({node.links[i].cid, {.kind = PlaceKind::part, .offset = offset}});
    }
    offset += size;
  }
  return out;
}

}  // namespace ipnscast::sync
