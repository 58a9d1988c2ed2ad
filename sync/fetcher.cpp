#include "sync/fetcher.h"

#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "nostr/base/thread_name.h"

namespace ipnscast::sync {
namespace {

// Pieces of answers that wait for the fetch's thread; beyond that the connections are not read.
constexpr size_t kQueuedPieces = 64;

struct Order {
  FetchId id;
  Cid root;
  FetchOptions options;
  Fetcher::Done done;
  std::shared_ptr<FetchInbox> inbox;
};

}  // namespace

struct Fetcher::Impl {
  Impl(gateway::Http& h, gateway::GatewayBook& b, BlockCache& c, FetcherOptions options)
      : http(h), book(b), cache(c), orders(options.queued) {}

  void loop(size_t number) {
    set_thread_name(("fetch-" + std::to_string(number)).c_str());
    while (auto order = orders.pop()) {
      auto result = FetchJob(http, book, cache, order->root, order->options, order->inbox).run();
      order->inbox->close();
      {
        std::lock_guard lock(mutex);
        inboxes.erase(order->id);
      }
      order->done(std::move(result));
    }
  }

  // constant after construction
  gateway::Http& http;
  gateway::GatewayBook& book;
  BlockCache& cache;
  std::vector<std::thread> threads;

  Inbox<Order> orders;
  std::once_flag closed_once;

  std::mutex mutex;
  // guarded by mutex
  uint64_t last_id = 0;
  std::map<FetchId, std::shared_ptr<FetchInbox>> inboxes;  // of what waits and runs
};

Fetcher::Fetcher(gateway::Http& http, gateway::GatewayBook& book, BlockCache& cache,
                 FetcherOptions options)
    : impl_(std::make_unique<Impl>(http, book, cache, options)) {
  for (size_t i = 0; i < options.threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), i] { impl->loop(i); });
  }
}

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
  if (impl_->orders.try_push(order)) return id;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->inboxes.erase(id);
  }
  order.done(impl_->orders.closed() ? fail(Errc::closed, "shut down")
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
    impl_->orders.close();
    {
      std::lock_guard lock(impl_->mutex);
      for (auto& [id, inbox] : impl_->inboxes) inbox->close();
    }
    for (std::thread& thread : impl_->threads) thread.join();
  });
}

}  // namespace ipnscast::sync
