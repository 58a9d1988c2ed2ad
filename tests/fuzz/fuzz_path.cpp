#include <algorithm>
#include <cstdlib>
#include <string>

#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"
#include "ipnscast/tools/cli/ipfs_path.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// A path leads along its steps only, a byte range stays within the file, and both are read back as
// they are written.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& step : path_steps(text)) {
    if (step.empty() || step.find('/') != step.npos) std::abort();
  }
  if (const auto range = ByteRange::parse(text)) {
    const auto again = ByteRange::parse(range->to_string());
    if (!again || again->from != range->from || again->to != range->to) std::abort();
    for (const uint64_t total : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, UINT64_MAX}) {
      const auto [first, end] = range->within(total);
      if (first > end || end > total) std::abort();
    }
  }
  if (const auto path = tools::parse_ipfs_path(text)) {
    const auto again = tools::parse_ipfs_path(path->cid.to_string() + "/" + path->path);
    if (!again || again->cid != path->cid || again->path != path->path) std::abort();
  }
  return 0;
}
