#include "ipnscast/tools/cli/ipfs_path.h"

#include <algorithm>

namespace ipnscast::tools {

HeadAndPath split_path(std::string_view text) {
  for (const std::string_view prefix : {"/ipfs/", "ipfs://", "/ipns/", "ipns://"}) {
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  const size_t slash = std::min(text.find('/'), text.size());
  HeadAndPath out{text.substr(0, slash), text.substr(slash)};
  while (out.path.starts_with('/')) out.path.remove_prefix(1);
  while (out.path.ends_with('/')) out.path.remove_suffix(1);
  return out;
}

Result<IpfsPath> parse_ipfs_path(std::string_view text) {
  if (text.starts_with("/ipns/") || text.starts_with("ipns://"))
    return fail(Errc::parse, "\"" + std::string(text) + "\": this is a name, no content");
  const auto [head, path] = split_path(text);
  auto cid = sync::Cid::parse(head);
  if (!cid) return fail(cid.error());
  if (cid->is(sync::Codec::libp2p_key))
    return fail(Errc::parse, "\"" + std::string(head) + "\": this is a name, no content");
  return IpfsPath{std::move(*cid), std::string(path)};
}

}  // namespace ipnscast::tools
