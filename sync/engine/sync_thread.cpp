#include "ipnscast/sync/engine/sync_thread.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kInboxMessages = 4096;
constexpr Seconds kHandlersMayTake{5};  // when closing

uint64_t random_seed() { return make_rng()(); }

// The name that is followed from now on, perhaps, or no longer.
std::optional<IpnsName> begins_or_ends(const Input& in) {
  return std::visit(
      [](const auto& one) -> std::optional<IpnsName> {
        using In = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<In, input::Watch> || std::is_same_v<In, input::Unwatch> ||
                      std::is_same_v<In, input::Follow> || std::is_same_v<In, input::Written>) {
          return one.name;
        } else {
          return std::nullopt;
        }
      },
      in);
}

}  // namespace

// What sources bring, until there is no room.
class SyncThread::Sink final : public SourceSink {
 public:
  explicit Sink(std::shared_ptr<Inbox<Message>> inbox) : inbox_(std::move(inbox)) {}

  // Says that it held back before it looks a second time: the sync thread makes room before it
  // looks whether somebody was held back, so one of the two sees the other.
  bool offer(SourceMessage& message) override {
    if (put(message)) return true;
    held_back_ = true;
    return put(message);
  }
  void push(SourceMessage message) override { inbox_->push_reserved(std::move(message)); }

  bool held_back() { return inbox_->size() < kInboxMessages / 2 && held_back_.exchange(false); }

 private:
  bool put(SourceMessage& message) {
    // Moved from only when there is room.
    Message wrapped(std::in_place_type<SourceMessage>, std::move(message));
    if (inbox_->try_push(wrapped) || inbox_->closed()) return true;
    message = std::move(std::get<SourceMessage>(wrapped));
    return false;
  }

  const std::shared_ptr<Inbox<Message>> inbox_;
  std::atomic<bool> held_back_ = false;
};

SyncThread::SyncThread(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      engine_(options_.engine, random_seed(), parts_.written),
      inbox_(std::make_shared<Inbox<Message>>(kInboxMessages)),
      sink_(std::make_shared<Sink>(inbox_)),
      handlers_(options_.handlers,
                [inbox = inbox_](input::Handled handled) {
                  inbox->push_reserved(Input(std::move(handled)));
                }),
      pulled_({[inbox = inbox_](const IpnsName& name) {
                 inbox->push_reserved(Input(input::Take{name}));
               },
               [inbox = inbox_](input::Handled handled) {
                 inbox->push_reserved(Input(std::move(handled)));
               }}),
      thread_([this] { serve(); }) {}

SyncThread::~SyncThread() { close(); }

void SyncThread::close() {
  close_handlers();
  inbox_->close();
  if (thread_.joinable()) thread_.join();
}

void SyncThread::close_handlers() {
  pulled_.close();
  const size_t left = handlers_.close(kHandlersMayTake);
  if (left == 0) return;
  log_warning("handlers", std::to_string(left) + " did not return within " +
                              std::to_string(kHandlersMayTake.count()) +
                              " s of closing and are left alone; their changes come again");
}

void SyncThread::tell(Input input) { inbox_->push(std::move(input)); }

void SyncThread::serve() {
  set_thread_name("sync");
  for (const MakeSource& make : options_.sources) news_.push_back(make(sink_));
  for (;;) {
    const auto wake = engine_.next_wake();
    auto message = wake ? inbox_->pop_until(*wake) : inbox_->pop();
    if (message) {
      take(*message);
    } else if (inbox_->closed()) {
      break;
    }
    const Instant now = std::chrono::steady_clock::now();
    if (engine_.next_wake() && *engine_.next_wake() <= now) feed(input::Tick{});
    if (names_changed_ && inbox_->size() == 0) ask_for_names();
    let_on();
    if (options_.on_turn) options_.on_turn();
  }
  news_.clear();
}

void SyncThread::let_on() {
  if (!sink_->held_back()) return;
  for (const auto& source : news_) source->room();
}

void SyncThread::take(Message& message) {
  if (auto* in = std::get_if<Input>(&message)) {
    forget_job(*in);
    note_known(*in);
    feed(std::move(*in));
  } else if (auto* news = std::get_if<SourceMessage>(&message)) {
    take_news(*news);
  } else {
    chain_update(std::get<ChainUpdate>(message));
  }
}

void SyncThread::take_news(SourceMessage& message) {
  const Say say = [this](SourceWord word) {
    std::visit([this](auto& said) { feed(std::move(said)); }, word);
  };
  if (auto* word = std::get_if<SourceWord>(&message)) return say(std::move(*word));
  std::get<std::unique_ptr<SourceLetter>>(message)->open(say);
}

void SyncThread::forget_job(const Input& in) {
  if (const auto* done = std::get_if<input::Fetched>(&in)) {
    work_.erase(done->job);
    chains_.erase(done->job);
  } else if (const auto* failed = std::get_if<input::FetchFailed>(&in)) {
    work_.erase(failed->job);
    chains_.erase(failed->job);
  } else if (const auto* update = std::get_if<input::ResolveUpdate>(&in)) {
    if (update->finished) work_.erase(update->job);
  } else if (const auto* polled = std::get_if<input::PollDone>(&in)) {
    work_.erase(polled->job);
  } else if (const auto* handled = std::get_if<input::Handled>(&in)) {
    held_.erase(handled->name);
  }
}

// What the state file has, as far as it decides which hints need not come again.
void SyncThread::note_known(const Input& in) {
  const auto holds = [this](const NameRow& row) {
    if (row.record) parts_.known->committed(row.name, row.record->sequence, row.record->value);
  };
  if (const auto* done = std::get_if<input::Committed>(&in)) {
    const auto rows = commits_.extract(done->job);
    if (!done->status || rows.empty()) return;
    for (const NameRow& row : rows.mapped()) {
      holds(row);
      if (row.taken && options_.on_taken) options_.on_taken(row.name, *row.taken);
    }
  } else if (const auto* watch = std::get_if<input::Watch>(&in)) {
    if (watch->stored) holds(*watch->stored);
  } else if (const auto* follow = std::get_if<input::Follow>(&in)) {
    if (follow->stored) holds(*follow->stored);
  } else if (const auto* unwatch = std::get_if<input::Unwatch>(&in)) {
    parts_.known->forget(unwatch->name);
    pulled_.forget(unwatch->name);
    held_.erase(unwatch->name);
  } else if (const auto* forget = std::get_if<input::Forget>(&in)) {
    parts_.known->forget(forget->name);
  }
}

void SyncThread::feed(Input in) {
  const std::optional<IpnsName> name = begins_or_ends(in);
  const bool of_source = std::holds_alternative<SourceHealth>(in);
  for (Action& action : engine_.handle(std::move(in), system_now())) {
    std::visit([&](auto& a) { perform(a); }, action);
  }
  if (name) note_names(*name);
  if (of_source) note_sources();
}

void SyncThread::note_sources() {
  std::vector<SourceState> now;
  for (const auto& [source, healthy] : engine_.sources().sources()) {
    const bool relay = source.kind == SourceKind::nostr;
    now.push_back(
        {relay ? "relay" : std::string(to_string(source.kind)), source.endpoint, healthy});
  }
  const std::lock_guard lock(sources_mutex_);
  sources_ = std::move(now);
}

std::vector<SourceState> SyncThread::sources() const {
  const std::lock_guard lock(sources_mutex_);
  return sources_;
}

void SyncThread::note_names(const IpnsName& name) {
  const bool followed = engine_.find(name) != nullptr;
  const bool changed = followed ? names_.insert(name).second : names_.erase(name) > 0;
  names_changed_ = names_changed_ || changed;
}

void SyncThread::ask_for_names() {
  names_changed_ = false;
  const std::vector<IpnsName> names(names_.begin(), names_.end());
  for (const auto& source : news_) source->follow(names);
}

void SyncThread::perform(action::Commit& action) {
  commits_[action.job] = action.rows;
  parts_.writer.submit(
      [rows = std::move(action.rows), notes = std::move(action.notes),
       limit = options_.engine.history_versions](store::Database& db) -> Status {
        if (Status saved = save_names(db, rows); !saved || notes.empty()) return saved;
        return save_history(db, rows.front().name, notes, limit);
      },
      [inbox = inbox_, job = action.job](Status status) {
        inbox->push_reserved(Input(input::Committed{job, std::move(status)}));
      });
}

void SyncThread::perform(action::ReadVersion& action) {
  const auto found = std::make_shared<std::optional<HeardVersion>>();
  parts_.writer.submit(
      [name = action.name, search = std::move(action.search),
       found](store::Database& db) -> Status {
        auto version = find_version(db, name, search);
        if (!version) return fail(version.error());
        *found = std::move(*version);
        return {};
      },
      [inbox = inbox_, name = action.name, job = action.job, found](const Status& read) {
        inbox->push_reserved(
            Input(input::VersionRead{name, job, std::move(*found), !read.has_value()}));
      });
}

void SyncThread::perform(action::Deliver& action) {
  action.pulled ? pulled_.give(std::move(action)) : handlers_.deliver(std::move(action));
}

void SyncThread::perform(action::Offer& action) { pulled_.offer(action.name, action.there); }

void SyncThread::perform(action::Revoke& action) {
  if (!pulled_.revoke(action.name, action.job)) return;  // its answer is on the way
  log_warning("handlers", action.name.to_string() +
                              ": what was taken was not acknowledged in time and comes again");
  inbox_->push_reserved(Input(input::Handled{
      action.name, action.job, fail(Errc::timeout, "it was not acknowledged in time")}));
}

void SyncThread::perform(action::Load& action) {
  const auto found = std::make_shared<std::optional<NameRow>>();
  parts_.writer.submit(
      [name = action.name, found](store::Database& db) -> Status {
        auto row = load_name(db, name);
        if (!row) return fail(row.error());
        *found = std::move(*row);
        return {};
      },
      [inbox = inbox_, name = action.name, found](const Status& read) {
        if (read) inbox->push_reserved(Input(input::Follow{name, std::move(*found)}));
      });
}

void SyncThread::perform(action::NewDeviceId& /*action*/) {
  if (options_.on_clone) options_.on_clone();
}

void SyncThread::perform(action::Alarm& action) {
  log_warning("engine", (action.name ? action.name->to_string() + ": " : "") + action.text);
  if (options_.on_trouble) options_.on_trouble(action.name, action.text);
}

void SyncThread::perform(action::Cancel& action) {
  const auto found = work_.find(action.job);
  if (found == work_.end()) return;
  if (found->second.lookup) parts_.resolver.cancel(*found->second.lookup);
  if (found->second.fetch) parts_.fetcher.cancel(*found->second.fetch);
  work_.erase(found);
  chains_.erase(action.job);
}

}  // namespace ipnscast::sync
