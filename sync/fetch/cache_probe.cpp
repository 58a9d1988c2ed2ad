#include "ipnscast/sync/fetch/cache_probe.h"

#include <condition_variable>
#include <mutex>

#include "ipnscast/sync/gateway/trustless.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostAsked = 16;

// Outlives a probe whose patience is over.
struct ProbeAnswers {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<size_t> have_it;
  size_t missing = 0;
};

// Whom to ask; nobody when our own nodes are there or it is no large race.
std::vector<size_t> strangers(const gateway::GatewayBook& book, Instant now) {
  std::vector<size_t> out;
  for (const size_t gateway : book.by_latency()) {
    if (!book.uses(gateway).blocks || book.left_alone(gateway, now)) continue;
    if (book.tier(gateway) == 1) return {};
    const auto dialects = book.dialects(gateway);
    if (book.tier(gateway) == 2 && (!dialects || dialects->trustless) && out.size() < kMostAsked)
      out.push_back(gateway);
  }
  if (out.size() < kLargeRace) out.clear();
  return out;
}

}  // namespace

std::set<size_t> who_has_cached(gateway::Http& http, gateway::GatewayBook& book, const Cid& cid,
                                Milliseconds patience) {
  const Instant start = std::chrono::steady_clock::now();
  const std::vector<size_t> asked = strangers(book, start);
  if (asked.empty()) return {};
  auto answers = std::make_shared<ProbeAnswers>();
  answers->missing = asked.size();
  std::vector<gateway::HttpId> calls;
  for (const size_t number : asked) {
    gateway::HttpCall call = gateway::raw_block_call(book.endpoint(number), cid);
    call.method = "HEAD";
    call.headers.emplace_back("Cache-Control", "only-if-cached");
    call.deadline = patience;
    call.stall = Milliseconds(0);
    calls.push_back(http.start_whole(std::move(call),
                                     [answers, number](const Result<gateway::HttpAnswer>& answer) {
                                       const std::lock_guard lock(answers->mutex);
                                       if (answer && gateway::check_raw_head(answer->head))
                                         answers->have_it.insert(number);
                                       --answers->missing;
                                       answers->changed.notify_all();
                                     }));
  }
  std::set<size_t> out;
  {
    std::unique_lock lock(answers->mutex);
    answers->changed.wait_until(lock, start + patience,
                                [&] { return answers->missing == 0 || !answers->have_it.empty(); });
    out = answers->have_it;
  }
  for (const gateway::HttpId call : calls) http.cancel(call);
  return out;
}

}  // namespace ipnscast::sync
