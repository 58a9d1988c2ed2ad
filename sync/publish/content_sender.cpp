#include "ipnscast/sync/publish/content_sender.h"

#include <condition_variable>
#include <future>

#include "ipnscast/nostr/base/workers.h"
#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/publish/content_place.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kQueued = 4'096;

// One root on its way to some nodes.
struct ContentSending {
  Cid root;
  SendOptions options;
  ContentPlans plans;
  ContentSender::OnSent on_sent;
  ContentSender::Done done;
  std::mutex mutex;
  // guarded by mutex
  std::vector<ContentSender::Sent> sent;
  size_t missing = 0;

  ContentSending(Cid r, SendOptions o, BlockSource& source, ContentSender::OnSent s,
                 ContentSender::Done d, size_t count)
      : root(std::move(r)),
        options(std::move(o)),
        plans(source, root, options.batch_bytes),
        on_sent(std::move(s)),
        done(std::move(d)),
        missing(count) {}

  void through(ContentSender::Sent one) {
    if (on_sent) on_sent(one);
    std::unique_lock lock(mutex);
    sent.push_back(std::move(one));
    if (--missing > 0) return;
    lock.unlock();
    if (done) done(std::move(sent));
  }
};

struct ContentJob {
  std::shared_ptr<ContentSending> sending;
  size_t node = 0;
};

}  // namespace

struct ContentSender::Impl {
  Impl(gateway::Http& h, gateway::GatewayBook& b, BlockSource& s, Milliseconds quiet, size_t t)
      : book(b),
        source(s),
        stall(quiet),
        calls(h),
        workers({.name = "content", .threads = t, .queued = kQueued},
                [this](ContentJob& job) { bring(job); }) {}

  void bring(ContentJob& job) {
    ContentPlace place(calls, book, source, job.node, stall);
    ContentSending& sending = *job.sending;
    sending.through(place.bring(sending.root, sending.plans, sending.options));
  }
  Sent failed(size_t node, std::string detail) const {
    Sent out;
    out.node = node;
    out.place.kind = Outcome::Place::Kind::node;
    out.place.what = Outcome::Place::What::content;
    out.place.url = book.endpoint(node).url;
    out.place.detail = std::move(detail);
    return out;
  }

  // constant after construction
  gateway::GatewayBook& book;
  BlockSource& source;
  const Milliseconds stall;

  WaitingCalls calls;
  std::once_flag closed_once;
  Workers<ContentJob> workers;  // last: they use all above
};

std::vector<size_t> content_nodes(gateway::Http& http, gateway::GatewayBook& book,
                                  Milliseconds wait, std::stop_token stop) {
  struct Probes {
    std::mutex mutex;
    std::condition_variable changed;
    size_t open = 0;  // guarded by mutex
  };
  auto probes = std::make_shared<Probes>();
  const std::stop_callback wake(stop, [probes] {
    std::lock_guard guard(probes->mutex);
    probes->changed.notify_all();
  });
  std::unique_lock lock(probes->mutex);
  for (size_t i = 0; i < book.size(); ++i) {
    if (book.tier(i) != 1 || !book.uses(i).publish || book.dialects(i)) continue;
    ++probes->open;
    gateway::probe_gateway(http, book.endpoint(i), [probes, &book, i](gateway::ProbeReport report) {
      if (report.dialects.any()) book.set_dialects(i, report.dialects);
      std::lock_guard guard(probes->mutex);
      --probes->open;
      probes->changed.notify_all();
    });
  }
  probes->changed.wait_for(lock, wait, [&] { return probes->open == 0 || stop.stop_requested(); });
  lock.unlock();
  std::vector<size_t> out;
  for (size_t i = 0; i < book.size(); ++i) {
    const auto dialects = book.dialects(i);
    if (book.tier(i) == 1 && book.uses(i).publish && dialects && dialects->rpc) out.push_back(i);
  }
  return out;
}

ContentSender::ContentSender(gateway::Http& http, gateway::GatewayBook& book, BlockSource& source,
                             Milliseconds stall, size_t threads)
    : impl_(std::make_unique<Impl>(http, book, source, stall, threads)) {}

ContentSender::~ContentSender() { close(); }

void ContentSender::send(const Cid& root, const std::vector<size_t>& nodes, SendOptions options,
                         OnSent on_sent, Done done) {
  auto sending = std::make_shared<ContentSending>(
      root, std::move(options), impl_->source, std::move(on_sent), std::move(done), nodes.size());
  if (nodes.empty() && sending->done) sending->done({});
  for (const size_t node : nodes) {
    if (impl_->workers.try_push({sending, node})) continue;
    sending->through(
        impl_->failed(node, impl_->workers.stopped() ? "closed" : "busy: too many wait"));
  }
}

std::vector<ContentSender::Sent> ContentSender::send_now(const Cid& root,
                                                         const std::vector<size_t>& nodes,
                                                         SendOptions options) {
  auto promise = std::make_shared<std::promise<std::vector<Sent>>>();
  auto future = promise->get_future();
  send(root, nodes, std::move(options), nullptr,
       [promise](std::vector<Sent> sent) { promise->set_value(std::move(sent)); });
  return future.get();
}

Status ContentSender::unpin(size_t node, const Cid& root, Milliseconds deadline) {
  const Instant end = std::chrono::steady_clock::now() + deadline;
  const auto answer =
      impl_->calls.ask(gateway::kubo_pin_rm_call(impl_->book.endpoint(node), root), end);
  return answer ? gateway::read_kubo_pin_rm(*answer) : fail(answer.error());
}

void ContentSender::close() {
  std::call_once(impl_->closed_once, [this] {
    impl_->workers.stop();
    impl_->calls.close();
    impl_->workers.close();
  });
}

}  // namespace ipnscast::sync
