#include "sync/ipfs/block_source.h"

namespace ipnscast::sync {

Result<Bytes> read_block(BlockSource& source, const Cid& cid) {
  if (cid.is_identity()) return cid.hash.digest;
  auto got = source.get(cid);
  if (!got) return fail(std::move(got.error()));
  if (!*got) return fail(Errc::not_found, "block " + cid.to_string() + " is missing");
  if ((*got)->size() > kMaxBlockBytes) {
    return fail(Errc::too_large, "block " + cid.to_string() + " is over 2 MiB");
  }
  const Status checked = check_block(cid, **got);
  if (!checked) return fail(checked.error());
  return std::move(**got);
}

}  // namespace ipnscast::sync
