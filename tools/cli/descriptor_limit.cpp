#include "ipnscast/tools/cli/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace ipnscast::tools {
namespace {

constexpr rlim_t kWanted = 8192;

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = std::min(limit.rlim_max, kWanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace ipnscast::tools
