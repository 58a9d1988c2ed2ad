#include "ipnscast/sync/resolve/resolver.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::sync {
namespace {

std::string whom_we_waited_for(const ResolveReport& report) {
  std::string out = "waited for";
  for (const ResolveReport::Source& source : report.sources) {
    out += " " + source.url + " (" + source.answer;
    // Whoever has not answered has no time.
    if (source.answer != "no answer") out += ", " + std::to_string(source.took.count()) + " ms";
    out += ')';
  }
  return out;
}

// Until the first record, or the end without one.
OnResolve timed(Meter* meter, Operation operation, OnResolve on_update) {
  if (meter == nullptr) return on_update;
  return [meter, operation, tell = std::move(on_update), start = std::chrono::steady_clock::now(),
          noted = false](const ResolveUpdate& update) mutable {
    const bool first = !noted && update.kind != ResolveUpdate::Kind::not_yet;
    if (first) {
      noted = true;
      const bool answered = update.report.best || update.unchanged || update.report.anybody_told();
      meter->note(operation, answered ? Status() : fail(Errc::unreachable, "no source answered"),
                  std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::steady_clock::now() - start),
                  [&] { return whom_we_waited_for(update.report); });
    }
    tell(update);
  };
}

}  // namespace

struct Resolver::Impl {
  using Task = std::function<void(ResolverCore&, Now)>;
  static constexpr size_t kQueued = 4096;

  Impl(gateway::Http& http, gateway::GatewayBook& book, ResolverOptions options, Meter* m)
      : meter(m),
        inbox(std::make_shared<Inbox<Task>>(kQueued)),
        core(http, book, options,
             [tasks = inbox](Task task) { tasks->push_reserved(std::move(task)); }) {}

  void loop() {
    set_thread_name("resolver");
    while (true) {
      const auto tick = core.next_tick();
      auto task = tick ? inbox->pop_until(*tick) : inbox->pop();
      const Now now = system_now();
      if (task) (*task)(core, now);
      core.tick(now);
      if (!task && inbox->closed()) break;
    }
    core.close();
  }

  Meter* const meter;
  // Shared with the calls under way, whose answers may come after we are gone.
  std::shared_ptr<Inbox<Task>> inbox;
  std::atomic<uint64_t> last_id{0};
  std::thread thread;
  std::once_flag closed_once;

  // resolver thread only
  ResolverCore core;
};

Resolver::Resolver(gateway::Http& http, gateway::GatewayBook& book, ResolverOptions options,
                   Meter* meter)
    : impl_(std::make_unique<Impl>(http, book, options, meter)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

Resolver::~Resolver() { close(); }

LookupId Resolver::resolve(const IpnsName& name, const ResolveOptions& options,
                           OnResolve on_update) {
  const LookupId id{++impl_->last_id};
  const bool taken = impl_->inbox->push(
      [id, name, options, timed = timed(impl_->meter, Operation::resolve, on_update)](
          ResolverCore& core, Now now) { core.resolve(id, name, options, timed, now); });
  if (!taken) on_update({});
  return id;
}

LookupId Resolver::poll(const IpnsName& name, OnResolve on_update) {
  const LookupId id{++impl_->last_id};
  const bool taken =
      impl_->inbox->push([id, name, timed = timed(impl_->meter, Operation::poll, on_update)](
                             ResolverCore& core, Now now) { core.poll(id, name, timed, now); });
  if (!taken) on_update({});
  return id;
}

void Resolver::cancel(LookupId id) {
  impl_->inbox->push_reserved([id](ResolverCore& core, Now) { core.cancel(id); });
}

Result<ResolveReport> Resolver::resolve_now(const IpnsName& name, const ResolveOptions& options,
                                            Milliseconds deadline, std::stop_token stop) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<ResolveReport> report;
  };
  auto waiting = std::make_shared<Waiting>();
  const LookupId id = resolve(name, options, [waiting](const ResolveUpdate& update) {
    std::lock_guard lock(waiting->mutex);
    if (waiting->report || update.kind == ResolveUpdate::Kind::not_yet) return;
    waiting->report = update.report;
    waiting->changed.notify_all();
  });
  const std::stop_callback wake(stop, [waiting] {
    const std::lock_guard lock(waiting->mutex);
    waiting->changed.notify_all();
  });
  const auto over = [&] { return waiting->report || stop.stop_requested(); };
  std::unique_lock lock(waiting->mutex);
  if (!waiting->changed.wait_for(lock, deadline, over)) {
    // Once closed this is refused; closing finishes all.
    impl_->inbox->push_reserved([id](ResolverCore& core, Now now) { core.cut(id, now); });
    waiting->changed.wait(lock, over);
  }
  if (!waiting->report) {
    cancel(id);
    return fail(Errc::cancelled, "stopped");
  }
  return std::move(*waiting->report);
}

RecordCache::Stats Resolver::cache_stats() {
  auto answer = std::make_shared<std::promise<RecordCache::Stats>>();
  auto future = answer->get_future();
  const bool taken = impl_->inbox->push(
      [answer](ResolverCore& core, Now) { answer->set_value(core.cache().stats()); });
  return taken ? future.get() : RecordCache::Stats{};
}

void Resolver::invalidate(const IpnsName& name) {
  impl_->inbox->push([name](ResolverCore& core, Now) { core.cache().invalidate(name); });
}

void Resolver::close() {
  std::call_once(impl_->closed_once, [this] {
    impl_->inbox->close();
    impl_->thread.join();
  });
}

}  // namespace ipnscast::sync
