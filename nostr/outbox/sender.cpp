#include "ipnscast/nostr/outbox/sender.h"

#include <map>
#include <optional>
#include <thread>
#include <variant>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/outbox/limits_store.h"
#include "ipnscast/nostr/outbox/owed_read_backs.h"
#include "ipnscast/nostr/outbox/quarantine_store.h"
#include "ipnscast/nostr/outbox/read_back_store.h"

namespace ipnscast::nostr {
namespace {

struct CommittedEvent {
  OutboxEntry entry;
  Quorum quorum;
  OutboxSender::OnReport report;
};
struct Progress {  // from the pool: perhaps at the quorum, when all have settled, after the
                   // read-back
  enum class Stage { quorum, settled, over };
  PublishReport report;
  Stage stage = Stage::quorum;
};
struct RelayBack {  // a relay is connected
  RelayUrl relay;
};
struct Try {  // of an event, under way at its relays
  Event event;
  std::optional<PublishReport> settled;
};
struct StandingChanged {  // what read-backs showed of a relay
  RelayUrl relay;
  RelayStanding standing;
};
struct LimitsLearned {  // from a relay's refusals
  RelayUrl relay;
  LearnedLimits limits;
};
using Message = std::variant<CommittedEvent, Progress, OwedReadBacks::Answer, RelayBack,
                             StandingChanged, LimitsLearned>;

constexpr size_t kOutboxInbox = 4096;
constexpr Milliseconds kCountIdle{600'000};

}  // namespace

struct OutboxSender::Impl {
  Impl(Pool& p, store::Writer& w, Options o)
      : pool(p),
        writer(w),
        options(std::move(o)),
        retry(options.retry),
        owed(p, w, options.read_back.value_or(Milliseconds(0)),
             [to = inbox](OwedReadBacks::Answer answer) { to->push_reserved(std::move(answer)); }) {
  }

  void serve();
  void send_pending();
  void send(const OutboxEntry& entry, const std::optional<Quorum>& quorum);
  void restore_relays();
  void resume_clock();
  void count_time();
  void expire();
  void note(const PublishReport& report);
  void look_back(const PublishReport& report);
  void judge(const Event& event, const RelayUrl& relay, const RelayOutcome& outcome);
  void try_again();
  void take(CommittedEvent& message);
  void take(Progress& message);
  void take(OwedReadBacks::Answer& message);
  void take(RelayBack& message);
  void take(StandingChanged& message);
  void take(LimitsLearned& message);

  Pool& pool;
  store::Writer& writer;
  const Options options;
  // Shared with the pool's callbacks, which may come after us.
  const std::shared_ptr<Inbox<Message>> inbox = std::make_shared<Inbox<Message>>(kOutboxInbox);

  // outbox thread only
  Backoff retry;
  Rng rng = make_rng();
  std::optional<Instant> retry_at;
  Instant counted_until = std::chrono::steady_clock::now();  // by the outbox's clock
  std::map<EventId, Try> under_way;
  std::map<EventId, OnReport> waiting;  // for the first report
  OwedReadBacks owed;

  std::thread thread;
};

void OutboxSender::Impl::serve() {
  set_thread_name("outbox");
  restore_relays();
  resume_clock();
  expire();
  send_pending();
  owed.ask_all();
  for (;;) {
    auto message = retry_at ? inbox->pop_until(*retry_at) : inbox->pop();
    if (message) {
      std::visit([&](auto& m) { take(m); }, *message);
    } else if (inbox->closed()) {
      return;
    }
    if (retry_at && *retry_at <= std::chrono::steady_clock::now()) {
      count_time();
      retry_at.reset();
      expire();
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
    if (under_way.count(entry.event.id) == 0) send(entry, std::nullopt);
  }
}

void OutboxSender::Impl::restore_relays() {
  std::map<RelayUrl, RelayStanding> known;
  std::map<RelayUrl, LearnedLimits> limits;
  const Status read = writer.run([&](store::Database& db) -> Status {
    auto rows = load_standings(db, system_now().seconds());
    if (!rows) return fail(rows.error());
    known = std::move(*rows);
    auto learned = load_limits(db, system_now().seconds());
    if (!learned) return fail(learned.error());
    limits = std::move(*learned);
    return {};
  });
  if (!read) log_error("outbox", read.error().message);
  pool.restore_standings(std::move(known));
  pool.restore_limits(std::move(limits));
}

void OutboxSender::Impl::take(LimitsLearned& message) {
  const Status saved = writer.run([&](store::Database& db) {
    return save_limits(db, message.relay, message.limits, system_now().seconds());
  });
  if (!saved) log_error("outbox", saved.error().message);
}

void OutboxSender::Impl::take(StandingChanged& message) {
  const Status saved = writer.run([&](store::Database& db) {
    return save_standing(db, message.relay, message.standing, system_now().seconds());
  });
  if (!saved) log_error("outbox", saved.error().message);
}

void OutboxSender::Impl::resume_clock() {
  const Status done = writer.run(
      [&](store::Database& db) { return outbox_resume_clock(db, system_now().seconds()); });
  if (!done) log_error("outbox", done.error().message);
}

// The time since the last call, less what is no whole second yet. Of a time in which nothing waited
// none of it counts.
void OutboxSender::Impl::count_time() {
  const Now now = system_now();
  const auto passed = std::chrono::duration_cast<Seconds>(now.steady - counted_until);
  counted_until += passed;
  const bool waits = retry_at || !under_way.empty();
  const Status done = writer.run([&](store::Database& db) {
    return outbox_advance_clock(db, waits ? passed : Seconds(0), now.seconds());
  });
  if (!done) log_error("outbox", done.error().message);
}

void OutboxSender::Impl::expire() {
  std::vector<OutboxEntry> expired;
  const Status done = writer.run([&](store::Database& db) -> Status {
    auto rows = outbox_expire(db, options.limits);
    if (!rows) return fail(rows.error());
    expired = std::move(*rows);
    return expire_read_backs(db);
  });
  if (!done) return log_error("outbox", done.error().message);
  for (const OutboxEntry& entry : expired) {
    for (const RelayUrl& relay : entry.relays) {
      log_error("outbox", relay.text() + " never took event " + to_hex(entry.event.id.view()) +
                              ": given up, it has waited too long");
    }
  }
}

void OutboxSender::Impl::send(const OutboxEntry& entry, const std::optional<Quorum>& quorum) {
  PublishOptions publish;
  publish.relays = entry.relays;
  publish.deadline = options.deadline;
  publish.read_back = options.read_back;
  if (quorum) {
    publish.quorum = *quorum;
    publish.at_quorum = [inbox = inbox](PublishReport report) {
      inbox->push_reserved(Progress{std::move(report), Progress::Stage::quorum});
    };
  }
  publish.at_settled = [inbox = inbox](PublishReport report) {
    inbox->push_reserved(Progress{std::move(report), Progress::Stage::settled});
  };
  under_way.emplace(entry.event.id, Try{entry.event, std::nullopt});
  pool.publish(entry.event, std::move(publish), [inbox = inbox](PublishReport report) {
    inbox->push_reserved(Progress{std::move(report), Progress::Stage::over});
  });
}

void OutboxSender::Impl::take(RelayBack& message) {
  if (retry_at) retry_at = std::chrono::steady_clock::now();
  owed.ask(message.relay);
}

void OutboxSender::Impl::take(CommittedEvent& message) {
  if (message.entry.relays.empty()) {
    if (message.report) message.report(PublishReport{message.entry.event.id, {}});
    return;
  }
  const auto since_count = std::chrono::steady_clock::now() - counted_until;
  if (!retry_at && under_way.empty() && since_count > kCountIdle) count_time();
  // Found among the pending ones already: that try reports, or has.
  const auto found = under_way.find(message.entry.event.id);
  if (found != under_way.end() && found->second.settled) {
    if (message.report) message.report(*found->second.settled);
    return;
  }
  waiting[message.entry.event.id] = std::move(message.report);
  if (found == under_way.end()) send(message.entry, message.quorum);
}

void OutboxSender::Impl::take(Progress& message) {
  const EventId id = message.report.id;
  if (const auto waits = waiting.find(id); waits != waiting.end()) {
    const OnReport report = std::move(waits->second);
    waiting.erase(waits);
    if (report) report(message.report);
  }
  if (message.stage == Progress::Stage::settled) note(message.report);
  if (message.stage == Progress::Stage::over) look_back(message.report);
}

// Every relay has said what it makes of the event, or has not in time. A process that ends now, as
// a command does, has this in its state; what was acknowledged is owed a read-back.
void OutboxSender::Impl::note(const PublishReport& report) {
  const auto sent = under_way.find(report.id);
  const bool ask = options.read_back && sent != under_way.end() &&
                   kind_class(sent->second.event.kind) != KindClass::ephemeral;
  const UnixMillis due{system_now().wall.value +
                       options.read_back.value_or(Milliseconds(0)).count()};
  const Status noted = writer.run([&](store::Database& db) -> Status {
    const auto wanted = outbox_holds(db, report.id);
    if (!wanted) return fail(wanted.error());
    for (const auto& [relay, outcome] : report.relays) {
      if (auto done = outbox_note(db, report.id, relay, outcome); !done) return done;
      if (!ask || !*wanted || !outcome.stored() || outcome.read_back != ReadBack::not_asked)
        continue;
      if (auto done = owe_read_back(db, sent->second.event, relay, due); !done) return done;
    }
    return {};
  });
  if (!noted) log_error("outbox", noted.error().message);
  if (sent != under_way.end()) sent->second.settled = report;
  for (const auto& [relay, outcome] : report.relays) {
    if (outcome.state == PublishState::refused) {
      log_warning("outbox", relay.text() + " refused an event: " + outcome.reason);
    }
  }
}

// What the read-back found. It may show that a relay which settled has not got the event.
void OutboxSender::Impl::look_back(const PublishReport& report) {
  const auto sent = under_way.extract(report.id);
  if (sent.empty()) return;
  bool open = false;
  for (const auto& [relay, outcome] : report.relays) {
    open = open || !outbox_settles(outcome);
    judge(sent.mapped().event, relay, outcome);
  }
  if (!open) {
    retry.succeeded(std::chrono::steady_clock::now());
  } else {
    try_again();
  }
}

void OutboxSender::Impl::try_again() {
  const Instant now = std::chrono::steady_clock::now();
  if (!retry_at) retry_at = now + retry.failed(now, rng);
}

// Of an event that was replaced or deleted meanwhile, it says nothing any more.
void OutboxSender::Impl::judge(const Event& event, const RelayUrl& relay,
                               const RelayOutcome& outcome) {
  if (outcome.newer && options.on_superseded) options.on_superseded(event, *outcome.newer);
  if (outcome.read_back == ReadBack::not_asked) return;
  const Status noted = writer.run([&](store::Database& db) -> Status {
    if (outcome.read_back != ReadBack::no_answer) {
      const auto was_owed = settle_read_back(db, event.id, relay);
      if (!was_owed) return fail(was_owed.error());
      if (*was_owed && !outbox_settles(outcome)) return outbox_again(db, event, relay);
    }
    return outbox_settles(outcome) ? outbox_note(db, event.id, relay, outcome) : Status{};
  });
  if (!noted) log_error("outbox", noted.error().message);
}

void OutboxSender::Impl::take(OwedReadBacks::Answer& message) {
  if (const auto& outcome = message.outcome) {
    judge(message.event, message.relay, *outcome);
    if (!outbox_settles(*outcome)) try_again();
  }
  owed.take(message);
}

OutboxSender::OutboxSender(Pool& pool, store::Writer& writer, Options options)
    : impl_(std::make_unique<Impl>(pool, writer, std::move(options))) {
  pool.on_connected(
      [inbox = impl_->inbox](const RelayUrl& relay) { inbox->try_push(RelayBack{relay}); });
  pool.on_standing([inbox = impl_->inbox](const RelayUrl& relay, const RelayStanding& standing) {
    inbox->push_reserved(StandingChanged{relay, standing});
  });
  pool.on_limits([inbox = impl_->inbox](const RelayUrl& relay, const LearnedLimits& limits) {
    inbox->push_reserved(LimitsLearned{relay, limits});
  });
  impl_->thread = std::thread([this] { impl_->serve(); });
}
OutboxSender::OutboxSender(Pool& pool, store::Writer& writer)
    : OutboxSender(pool, writer, Options{}) {}

OutboxSender::~OutboxSender() {
  impl_->pool.on_connected(nullptr);
  impl_->pool.on_standing(nullptr);
  impl_->pool.on_limits(nullptr);
  impl_->inbox->close();
  impl_->thread.join();
}

void OutboxSender::committed(OutboxEntry entry, Quorum quorum, OnReport first_report) {
  // Their number is bounded by the outbox, and some come from our own thread.
  impl_->inbox->push_reserved(
      CommittedEvent{std::move(entry), std::move(quorum), std::move(first_report)});
}

}  // namespace ipnscast::nostr
