#pragma once

#include <string>
#include <string_view>

#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::tools {

// Content and a way into it.
struct IpfsPath {
  sync::Cid cid;
  std::string path;  // "a/b"; empty for the root
};

// "/ipfs/<cid>[/path]", "ipfs://<cid>[/path]" or "<cid>[/path]". Errc::parse.
Result<IpfsPath> parse_ipfs_path(std::string_view text);

// What stands before and after the first slash, "/ipfs/" and "/ipns/" left away.
struct HeadAndPath {
  std::string_view head;
  std::string_view path;
};
HeadAndPath split_path(std::string_view text);

}  // namespace ipnscast::tools
