#include "sync/provider_search.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace ipnscast::sync {
namespace {

constexpr size_t kMostRouters = 5;

// What the routers named; outlives a search whose deadline has passed.
struct Named {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> urls;
  size_t missing = 0;
};

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace

std::vector<std::string> find_providers(gateway::Http& http, gateway::GatewayBook& book,
                                        const Cid& cid, gateway::ProviderHosts hosts,
                                        Milliseconds deadline) {
  const Instant start = std::chrono::steady_clock::now();
  std::vector<size_t> routers;
  std::vector<std::string> known;
  for (const size_t gateway : book.by_latency()) {
    known.push_back(without_slash(book.endpoint(gateway).url));
    const auto dialects = book.dialects(gateway);
    const bool router = !dialects || dialects->routing;
    if (hosts == gateway::ProviderHosts::none || !router || routers.size() == kMostRouters)
      continue;
    if (!book.left_alone(gateway, start)) routers.push_back(gateway);
  }
  auto named = std::make_shared<Named>();
  named->missing = routers.size();
  for (const size_t router : routers) {
    gateway::HttpCall call = gateway::providers_call(book.endpoint(router), cid);
    call.deadline = deadline;
    call.stall = Milliseconds(0);
    http.start_whole(std::move(call), [named, hosts](const Result<gateway::HttpAnswer>& answer) {
      auto urls = answer ? gateway::read_providers(*answer, hosts)
                         : Result<std::vector<std::string>>(fail(answer.error()));
      const std::lock_guard lock(named->mutex);
      if (urls) named->urls.insert(named->urls.end(), urls->begin(), urls->end());
      --named->missing;
      named->changed.notify_all();
    });
  }
  std::unique_lock lock(named->mutex);
  named->changed.wait_until(lock, start + deadline, [&] { return named->missing == 0; });
  std::vector<std::string> out;
  for (const std::string& url : named->urls) {
    const bool have = std::find(known.begin(), known.end(), url) != known.end() ||
                      std::find(out.begin(), out.end(), url) != out.end();
    if (!have && out.size() < gateway::kMaxProviders) out.push_back(url);
  }
  return out;
}

}  // namespace ipnscast::sync
