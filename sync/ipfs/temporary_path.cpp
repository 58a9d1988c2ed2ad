#include "sync/ipfs/temporary_path.h"

#include "nostr/base/hex.h"
#include "nostr/base/random.h"

namespace ipnscast::sync {

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  // "dir/" and "dir" are the same place.
  const std::filesystem::path clean = path.has_filename() ? path : path.parent_path();
  // Short, so that a name of the longest length allowed still has a sibling.
  return clean.parent_path() / (".ipnscast-" + to_hex(random_bytes(8)) + ".tmp");
}

}  // namespace ipnscast::sync
