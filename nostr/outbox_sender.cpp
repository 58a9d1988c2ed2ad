#include "nostr/outbox_sender.h"

#include <map>
#include <set>
#include <thread>
#include <variant>

#include "nostr/base/inbox.h"
#include "nostr/base/log.h"
#include "nostr/base/thread_name.h"

namespace ipnscast::nostr {
namespace {

struct CommittedEvent {
  OutboxEntry entry;
  size_t quorum = 0;
  OutboxSender::OnReport report;
};
struct Progress {  // from the pool: perhaps at the quorum, then when a try is over
  PublishReport report;
  bool over = false;
};
using Message = std::variant<CommittedEvent, Progress>;

constexpr size_t kInbox = 4096;

}  // namespace

struct OutboxSender::Impl {
  Impl(Pool& p, store::Writer& w, Options o)
      : pool(p),
        writer(w),
        options(o),
        retry(o.retry),
        inbox(std::make_shared<Inbox<Message>>(kInbox)) {}

  void serve();
  void send_pending();
  void send(const OutboxEntry& entry, size_t quorum);
  void take(CommittedEvent& message);
  void take(Progress& message);

  Pool& pool;
  store::Writer& writer;
  const Options options;

  // outbox thread only
  Backoff retry;
  Rng rng = make_rng();
  std::optional<Instant> retry_at;
  std::set<EventId> under_way;
  std::map<EventId, OnReport> waiting;  // for the first report

  // Shared with the pool's callbacks, which may come after us.
  const std::shared_ptr<Inbox<Message>> inbox;
  std::thread thread;
};

void OutboxSender::Impl::serve() {
  set_thread_name("outbox");
  send_pending();
  for (;;) {
    auto message = retry_at ? inbox->pop_until(*retry_at) : inbox->pop();
    if (message) {
      std::visit([&](auto& m) { take(m); }, *message);
    } else if (inbox->closed()) {
      return;
    }
    if (retry_at && *retry_at <= std::chrono::steady_clock::now()) {
      retry_at.reset();
      send_pending();
    }
  }
}

void OutboxSender::Impl::send_pending() {
  std::vector<OutboxEntry> pending;
  const Status read = writer.run([&](store::Database& db) -> Status {
    auto rows = outbox_pending(db);
    if (!rows) return fail(rows.error());
    pending = std::move(*rows);
    return {};
  });
  if (!read) {
    log_error("outbox", read.error().message);
    retry_at =
        std::chrono::steady_clock::now() + retry.failed(std::chrono::steady_clock::now(), rng);
    return;
  }
  for (const OutboxEntry& entry : pending) {
    if (under_way.count(entry.event.id) == 0) send(entry, 0);
  }
}

void OutboxSender::Impl::send(const OutboxEntry& entry, size_t quorum) {
  PublishOptions publish;
  publish.relays = entry.relays;
  publish.deadline = options.deadline;
  publish.quorum.count = quorum;
  if (quorum > 0) {
    publish.at_quorum = [inbox = inbox](PublishReport report) {
      inbox->push_reserved(Progress{std::move(report), false});
    };
  }
  under_way.insert(entry.event.id);
  pool.publish(entry.event, std::move(publish), [inbox = inbox](PublishReport report) {
    inbox->push_reserved(Progress{std::move(report), true});
  });
}

void OutboxSender::Impl::take(CommittedEvent& message) {
  if (message.entry.relays.empty()) {
    if (message.report) message.report(PublishReport{message.entry.event.id, {}});
    return;
  }
  waiting[message.entry.event.id] = std::move(message.report);
  send(message.entry, message.quorum);
}

void OutboxSender::Impl::take(Progress& message) {
  const EventId id = message.report.id;
  if (const auto waits = waiting.find(id); waits != waiting.end()) {
    const OnReport report = std::move(waits->second);
    waiting.erase(waits);
    if (report) report(message.report);
  }
  if (!message.over) return;
  under_way.erase(id);
  bool open = false;
  const Status noted = writer.run([&](store::Database& db) -> Status {
    for (const auto& [relay, outcome] : message.report.relays) {
      if (auto done = outbox_note(db, id, relay, outcome); !done) return done;
    }
    return {};
  });
  if (!noted) log_error("outbox", noted.error().message);
  for (const auto& [relay, outcome] : message.report.relays) {
    open = open || !outbox_settles(outcome);
    if (outcome.state == PublishState::refused) {
      log_warning("outbox", relay.text() + " refused an event: " + outcome.reason);
    }
  }
  const Instant now = std::chrono::steady_clock::now();
  if (!open) {
    retry.succeeded(now);
  } else if (!retry_at) {
    retry_at = now + retry.failed(now, rng);
  }
}

OutboxSender::OutboxSender(Pool& pool, store::Writer& writer, Options options)
    : impl_(std::make_unique<Impl>(pool, writer, options)) {
  impl_->thread = std::thread([this] { impl_->serve(); });
}
OutboxSender::OutboxSender(Pool& pool, store::Writer& writer)
    : OutboxSender(pool, writer, Options{}) {}

OutboxSender::~OutboxSender() {
  impl_->inbox->close();
  impl_->thread.join();
}

void OutboxSender::committed(OutboxEntry entry, size_t quorum, OnReport first_report) {
  impl_->inbox->push(CommittedEvent{std::move(entry), quorum, std::move(first_report)});
}

}  // namespace ipnscast::nostr
