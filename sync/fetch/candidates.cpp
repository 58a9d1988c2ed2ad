// Whom a fetch asks, and in which order.
#include <algorithm>

#include "ipnscast/sync/fetch/job.h"

namespace ipnscast::sync {
namespace {

constexpr int kLastResort = 1'000'000;

}  // namespace

// Those without a demerit first, then by latency. Gateways of which nothing is known are tried as
// trustless first; path gateways come behind all else.
std::vector<FetchJob::Candidate> FetchJob::candidates() const {
  std::vector<std::pair<int, Candidate>> found;
  for (const size_t gateway : book_.by_latency()) {
    if (liars_.count(gateway) != 0 || !book_.uses(gateway).blocks) continue;
    const auto demerit = demerits_.find(gateway);
    const int rank = (demerit == demerits_.end() ? 0 : demerit->second) -
                     static_cast<int>(options_.have_it.count(gateway));
    const auto dialects = book_.dialects(gateway);
    if (!dialects || dialects->trustless)
      found.push_back({rank, {gateway, FetchDialect::trustless}});
    if (dialects && dialects->rpc) found.push_back({rank, {gateway, FetchDialect::rpc}});
    if (!dialects) found.push_back({rank + 1, {gateway, FetchDialect::rpc}});
    if (!dialects || (dialects->path && !dialects->trustless))
      found.push_back({rank + kLastResort, {gateway, FetchDialect::path}});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Candidate> out;
  for (auto it = found.rbegin(); it != found.rend(); ++it) out.push_back(it->second);
  return out;
}

}  // namespace ipnscast::sync
