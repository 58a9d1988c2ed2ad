#include "sync/ipfs/path_resolver.h"

#include <charconv>
#include <string>

#include "sync/ipfs/dag_cbor.h"
#include "sync/ipfs/directory_reader.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxSteps = 256;

// Takes "a" off "a/b"; empty steps ("//") are passed over.
std::string take_step(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view step = path.substr(0, path.find('/'));
  path.remove_prefix(step.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(step);
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

// Goes down inside one block until a link leads out of it.
Result<Cid> step_in_cbor(ByteView block, const std::string& first, std::string_view& path,
                         size_t& steps) {
  const auto decoded = decode_dag_cbor(block, {.canonical = false});
  if (!decoded) return fail(decoded.error());
  const CborValue* at = member_of(*decoded, first);
  while (at != nullptr && at->as<Cid>() == nullptr && !path.empty() && ++steps <= kMaxSteps) {
    at = member_of(*at, take_step(path));
  }
  if (at == nullptr) return fail(Errc::not_found, "no member of the name " + first);
  if (at->as<Cid>() == nullptr)
    return fail(Errc::mismatch, "the path ends inside a block, not at a link");
  return *at->as<Cid>();
}

}  // namespace

Result<Cid> resolve_path(BlockSource& source, const Cid& root, std::string_view path) {
  Cid at = root;
  size_t steps = 0;
  for (std::string step = take_step(path); !step.empty(); step = take_step(path)) {
    if (++steps > kMaxSteps) return fail(Errc::too_large, "path: over 256 steps");
    const auto block = read_block(source, at);
    if (!block) return fail(block.error());
    if (at.is(Codec::dag_cbor)) {
      auto next = step_in_cbor(*block, step, path, steps);
      if (!next) return next;
      at = std::move(*next);
      continue;
    }
    const auto node = decode_node(at, *block);
    if (!node) return fail(node.error());
    if (!node->is_directory())
      return fail(Errc::mismatch, "path: " + step + " is asked of what is no directory");
    auto next = find_entry(source, *node, step);
    if (!next) return next;
    at = std::move(*next);
  }
  return at;
}

}  // namespace ipnscast::sync
