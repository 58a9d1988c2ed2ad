#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

Result<Bytes> read_block(BlockSource& source, const Cid& cid) {
  if (cid.is_identity()) return cid.hash.digest;
  auto answer = source.get(cid);
  if (!answer) return fail(std::move(answer.error()));
  std::optional<Bytes> block = std::move(*answer);
  if (!block) return fail(Errc::not_found, "block " + cid.to_string() + " is missing");
  if (block->size() > kMaxBlockBytes) {
    return fail(Errc::too_large, "block " + cid.to_string() + " is over 2 MiB");
  }
  if (source.verifies()) return std::move(*block);
  const Status checked = check_block(cid, *block);
  if (!checked) return fail(checked.error());
  return std::move(*block);
}

}  // namespace ipnscast::sync
