#include "sync/ipfs/temporary_path.h"

#include "nostr/base/hex.h"
#include "nostr/base/random.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kBegin = ".ipnscast-";
constexpr std::string_view kEnd = ".tmp";

}  // namespace

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  // "dir/" and "dir" are the same place.
  const std::filesystem::path clean = path.has_filename() ? path : path.parent_path();
  // Short, so that a name of the longest length allowed still has a sibling.
  return clean.parent_path() / (std::string(kBegin) + to_hex(random_bytes(8)) + std::string(kEnd));
}

bool is_temporary(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return name.size() == kBegin.size() + 16 + kEnd.size() && name.starts_with(kBegin) &&
         name.ends_with(kEnd) && from_hex(name.substr(kBegin.size(), 16));
}

}  // namespace ipnscast::sync
