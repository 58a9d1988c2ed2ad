#include "ipnscast/sync/fetch/fetcher.h"

#include <future>
#include <map>
#include <mutex>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/workers.h"
#include "ipnscast/sync/fetch/cache_probe.h"
#include "ipnscast/sync/fetch/provider_search.h"

namespace ipnscast::sync {
namespace {

// Pieces of answers that wait for the fetch's thread; beyond that the connections are not read.
constexpr size_t kQueuedPieces = 32;
constexpr Milliseconds kSearchFor{3'000};

// That others might have what could not be fetched.
bool others_may_have_it(const Error& error) {
  switch (error.code) {
    case Errc::not_found:
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::busy:
    case Errc::refused:
    case Errc::unsupported:
    case Errc::mismatch:
      return true;
    default:
      return false;
  }
}

struct Order {
  FetchId id;
  Cid root;
  FetchOptions options;
  Fetcher::Done done;
  std::shared_ptr<FetchInbox> inbox;
};

void note(Meter& meter, const Cid& root, Instant start, const Result<FetchReport>& result) {
  const auto took = std::chrono::steady_clock::now() - start;
  meter.note(
      Operation::fetch, result ? Status() : fail(result.error()),
      std::chrono::duration_cast<std::chrono::microseconds>(took),
      [&] {
        return root.to_string() + ": " + std::to_string(result->bytes) +
               " bytes, the first after " + std::to_string(result->first_block.count()) + " ms";
      },
      target_for(result ? result->bytes : 0));
}

}  // namespace

struct Fetcher::Impl {
  Impl(gateway::Http& h, gateway::GatewayBook& b, BlockCache& c, FetcherOptions options)
      : http(h),
        book(b),
        cache(c),
        meter(options.meter),
        providers(options.providers),
        cache_probe(options.cache_probe),
        workers({.name = "fetch", .threads = options.threads, .queued = options.queued},
                [this](Order& order) { work(order); }) {}

  void work(Order& order) {
    const Instant started = std::chrono::steady_clock::now();
    if (!cache.has(order.root) && !order.root.is_identity())
      order.options.have_it =
          who_has_cached(http, book, order.root, std::min(cache_probe, order.options.deadline / 4));
    FetchOptions options = order.options;
    options.deadline -= std::chrono::ceil<Milliseconds>(std::chrono::steady_clock::now() - started);
    auto result = FetchJob(http, book, cache, order.root, options, order.inbox).run();
    order.inbox->close();
    if (!result && others_may_have_it(result.error())) {
      auto found = fetch_from_providers(order, started);
      if (found && (*found || found->error().code == Errc::cancelled)) result = std::move(*found);
    }
    if (meter != nullptr) note(*meter, order.root, started, result);
    {
      std::lock_guard lock(mutex);
      inboxes.erase(order.id);
    }
    order.done(std::move(result));
  }

  // The rest of it from whom routers name; nothing when they name nobody. What came before is in
  // the cache.
  std::optional<Result<FetchReport>> fetch_from_providers(Order& order, Instant started) {
    const auto left = [&] {
      return order.options.deadline -
             std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
    };
    if (providers == gateway::ProviderHosts::none || left() <= Milliseconds(0)) return {};
    // When the content itself is what failed, nobody can mend it.
    FetchPlan plan(cache, order.options.max_bytes, order.options.shares, order.options.scope,
                   started + order.options.deadline);
    if (!plan.begin(order.root) || plan.complete()) return {};
    {
      const std::lock_guard lock(mutex);
      if (closing || inboxes.count(order.id) == 0) return {};
      order.inbox = inboxes[order.id] = std::make_shared<FetchInbox>(kQueuedPieces);
    }
    const auto urls =
        find_providers(http, book, order.root, providers, std::min(kSearchFor, left()));
    if (urls.empty()) return {};
    const NamedBy named_by =
        providers == gateway::ProviderHosts::any ? NamedBy::configuration : NamedBy::others;
    std::vector<gateway::GatewayBook::Entry> entries;
    for (const std::string& url : urls) {
      log_debug("fetch", "routers name " + url + " for " + order.root.to_string());
      entries.push_back({{url, {}, named_by}, 2});
    }
    gateway::GatewayBook strangers(std::move(entries));
    for (size_t i = 0; i < urls.size(); ++i) strangers.set_dialects(i, {.trustless = true});
    FetchOptions options = order.options;
    options.deadline = left();
    options.have_it.clear();
    auto result = FetchJob(http, strangers, cache, order.root, options, order.inbox).run();
    order.inbox->close();
    return result;
  }

  // constant after construction
  gateway::Http& http;
  gateway::GatewayBook& book;
  BlockCache& cache;
  Meter* const meter;
  const gateway::ProviderHosts providers;
  const Milliseconds cache_probe;

  std::once_flag closed_once;

  std::mutex mutex;
  // guarded by mutex
  bool closing = false;
  uint64_t last_id = 0;
  std::map<FetchId, std::shared_ptr<FetchInbox>> inboxes;  // of what waits and runs

  Workers<Order> workers;  // last: they use all above
};

Fetcher::Fetcher(gateway::Http& http, gateway::GatewayBook& book, BlockCache& cache,
                 FetcherOptions options)
    : impl_(std::make_unique<Impl>(http, book, cache, options)) {}

Fetcher::~Fetcher() { close(); }

FetchId Fetcher::fetch(const Cid& root, const FetchOptions& options, Done done) {
  auto inbox = std::make_shared<FetchInbox>(kQueuedPieces);
  FetchId id;
  {
    std::lock_guard lock(impl_->mutex);
    id = {++impl_->last_id};
    impl_->inboxes[id] = inbox;
  }
  Order order{id, root, options, std::move(done), inbox};
  if (impl_->workers.try_push(order)) return id;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->inboxes.erase(id);
  }
  order.done(impl_->workers.stopped() ? fail(Errc::closed, "shut down")
                                      : fail(Errc::busy, "too many fetches wait"));
  return id;
}

void Fetcher::cancel(FetchId id) {
  std::lock_guard lock(impl_->mutex);
  const auto it = impl_->inboxes.find(id);
  if (it != impl_->inboxes.end()) it->second->push_reserved(FetchCancelled{});
}

Result<FetchReport> Fetcher::fetch_now(const Cid& root, const FetchOptions& options) {
  auto answer = std::make_shared<std::promise<Result<FetchReport>>>();
  auto future = answer->get_future();
  fetch(root, options,
        [answer](Result<FetchReport> result) { answer->set_value(std::move(result)); });
  return future.get();
}

void Fetcher::close() {
  std::call_once(impl_->closed_once, [this] {
    impl_->workers.stop();
    {
      std::lock_guard lock(impl_->mutex);
      impl_->closing = true;
      for (auto& [id, inbox] : impl_->inboxes) inbox->close();
    }
    impl_->workers.close();
  });
}

}  // namespace ipnscast::sync
