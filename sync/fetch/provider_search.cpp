#include "ipnscast/sync/fetch/provider_search.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace ipnscast::sync {
namespace {

constexpr size_t kMostRouters = 5;

// What the routers said; outlives a search whose deadline has passed.
struct ProviderAnswers {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<gateway::HttpAnswer> heard;
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
    const bool router = book.uses(gateway).blocks && (!dialects || dialects->routing);
    if (hosts == gateway::ProviderHosts::none || !router || routers.size() == kMostRouters)
      continue;
    if (!book.left_alone(gateway, start)) routers.push_back(gateway);
  }
  auto answers = std::make_shared<ProviderAnswers>();
  answers->missing = routers.size();
  for (const size_t router : routers) {
    gateway::HttpCall call = gateway::providers_call(book.endpoint(router), cid);
    call.deadline = deadline;
    call.stall = Milliseconds(0);
    http.start_whole(std::move(call), [answers](Result<gateway::HttpAnswer> answer) {
      const std::lock_guard lock(answers->mutex);
      if (answer) answers->heard.push_back(std::move(*answer));
      --answers->missing;
      answers->changed.notify_all();
    });
  }
  std::vector<gateway::HttpAnswer> heard;
  {
    std::unique_lock lock(answers->mutex);
    answers->changed.wait_until(lock, start + deadline, [&] { return answers->missing == 0; });
    heard = std::move(answers->heard);
  }
  std::vector<std::string> named;
  for (const gateway::HttpAnswer& answer : heard) {
    const auto urls = gateway::read_providers(answer, hosts);
    if (urls) named.insert(named.end(), urls->begin(), urls->end());
  }
  std::vector<std::string> out;
  for (const std::string& url : named) {
    const bool have = std::find(known.begin(), known.end(), url) != known.end() ||
                      std::find(out.begin(), out.end(), url) != out.end();
    if (!have && out.size() < gateway::kMaxProviders) out.push_back(url);
  }
  return out;
}

}  // namespace ipnscast::sync
