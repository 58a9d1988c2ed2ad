#include "ipnscast/sync/publish/record_sender.h"

#include <algorithm>
#include <future>
#include <mutex>

#include "ipnscast/nostr/base/workers.h"
#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/publish/record_place.h"
#include "ipnscast/sync/resolve/waiting_calls.h"

namespace ipnscast::sync {
namespace {

// One record on its way to all places.
struct RecordSending {
  IpnsName name;
  IpnsRecord record;
  RecordSender::OnPlace on_place;
  RecordSender::Done done;
  std::mutex mutex;
  // guarded by mutex
  std::vector<RecordSender::Place> places;
  size_t missing = 0;

  RecordSending(IpnsName n, IpnsRecord r, RecordSender::OnPlace p, RecordSender::Done d,
                size_t count)
      : name(std::move(n)),
        record(std::move(r)),
        on_place(std::move(p)),
        done(std::move(d)),
        missing(count) {}

  void through(std::optional<RecordSender::Place> place) {
    if (place && on_place) on_place(*place);
    std::unique_lock lock(mutex);
    if (place) places.push_back(std::move(*place));
    if (--missing > 0) return;
    lock.unlock();
    if (done) done(std::move(places));
  }
};

struct RecordJob {
  std::shared_ptr<RecordSending> sending;
  size_t gateway = 0;
};

}  // namespace

struct RecordSender::Impl {
  Impl(gateway::Http& h, gateway::GatewayBook& b, RecordSenderOptions o)
      : http(h),
        book(b),
        options(std::move(o)),
        calls(h),
        workers({.name = "send", .threads = options.threads, .queued = options.queued},
                [this](RecordJob& job) { job.sending->through(run(job)); }) {}

  std::optional<Place> run(const RecordJob& job);
  Place failed(const RecordJob& job, std::string detail) const {
    Place out;
    out.kind = Place::Kind::router;
    out.what = Place::What::record;
    out.url = book.endpoint(job.gateway).url;
    out.detail = std::move(detail);
    return out;
  }

  // constant after construction
  gateway::Http& http;
  gateway::GatewayBook& book;
  const RecordSenderOptions options;

  WaitingCalls calls;
  std::once_flag closed_once;
  Workers<RecordJob> workers;  // last: they use all above
};

std::optional<RecordSender::Place> RecordSender::Impl::run(const RecordJob& job) {
  const Instant end = std::chrono::steady_clock::now() + options.deadline;
  auto dialects = book.dialects(job.gateway);
  if (!dialects) {
    auto found = std::make_shared<std::promise<gateway::ProbeReport>>();
    auto future = found->get_future();
    gateway::probe_gateway(http, book.endpoint(job.gateway), [found](gateway::ProbeReport report) {
      found->set_value(std::move(report));
    });
    const gateway::ProbeReport report = future.get();  // 3 s at most
    if (report.dialects.any()) book.set_dialects(job.gateway, report.dialects);
    if (!report.reachable) return failed(job, "unreachable: " + report.routing);
    dialects = report.dialects;
  }
  RecordPlaceTools tools;
  tools.ask = [this, end](gateway::HttpCall call) { return calls.ask(std::move(call), end); };
  tools.wait = [this, end](Milliseconds time) { return calls.wait(time, end); };
  return put_record(book.endpoint(job.gateway), *dialects, job.sending->name, job.sending->record,
                    options.retries, tools);
}

RecordSender::RecordSender(gateway::Http& http, gateway::GatewayBook& book,
                           RecordSenderOptions options)
    : impl_(std::make_unique<Impl>(http, book, std::move(options))) {}

RecordSender::~RecordSender() { close(); }

void RecordSender::send(const IpnsName& name, const IpnsRecord& record, OnPlace on_place, Done done,
                        const std::optional<std::vector<size_t>>& only) {
  std::vector<size_t> order = impl_->book.by_latency();
  std::erase_if(order, [&](size_t gateway) {
    return !impl_->book.uses(gateway).publish ||
           (only && std::find(only->begin(), only->end(), gateway) == only->end());
  });
  auto sending = std::make_shared<RecordSending>(name, record, std::move(on_place), std::move(done),
                                                 order.size());
  if (order.empty() && sending->done) sending->done({});
  for (const size_t gateway : order) {
    RecordJob job{sending, gateway};
    if (impl_->workers.try_push(std::move(job))) continue;
    sending->through(impl_->failed({sending, gateway},
                                   impl_->workers.stopped() ? "closed" : "busy: too many wait"));
  }
}

std::vector<RecordSender::Place> RecordSender::send_now(const IpnsName& name,
                                                        const IpnsRecord& record) {
  auto promise = std::make_shared<std::promise<std::vector<Place>>>();
  auto future = promise->get_future();
  send(name, record, nullptr,
       [promise](std::vector<Place> places) { promise->set_value(std::move(places)); });
  return future.get();
}

void RecordSender::close() {
  std::call_once(impl_->closed_once, [this] {
    impl_->workers.stop();
    impl_->calls.close();
    impl_->workers.close();
  });
}

}  // namespace ipnscast::sync
