#include "ipnscast/sync/engine/sync_thread.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kInboxMessages = 4096;
constexpr Seconds kHandlersMayTake{5};    // when closing
constexpr size_t kOpeningMessages = 256;  // behind a signer that takes its time

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

SyncThread::SyncThread(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      engine_(options_.engine, random_seed(), parts_.written),
      inbox_(std::make_shared<Inbox<Message>>(kInboxMessages)),
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
  if (parts_.pool != nullptr) {
    NostrSource::Options source = options_.nostr;
    source.known = known_;
    nostr_ = std::make_unique<NostrSource>(
        *parts_.pool, std::move(source),
        [this](nostr::PoolMessage& message) { return accept(message); });
  }
  if (parts_.opener && options_.nostr.own_private) {
    opener_ = std::make_unique<HintOpener>(
        parts_.opener,
        [inbox = inbox_](HintOpener::Answer answer) { inbox->push_reserved(std::move(answer)); });
  }
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
    resume_pool();
    if (options_.on_turn) options_.on_turn();
  }
  nostr_.reset();
}

// On the net thread. Says that it held back before it looks a second time: the sync thread makes
// room before it looks whether somebody was held back, so one of the two sees the other.
bool SyncThread::accept(nostr::PoolMessage& message) {
  if (put(message)) return true;
  pool_held_back_ = true;
  return put(message);
}

bool SyncThread::put(nostr::PoolMessage& message) {
  if (opening_ >= kOpeningMessages) return inbox_->closed();
  // Moved from only when there is room.
  Message wrapped(std::in_place_type<nostr::PoolMessage>, std::move(message));
  if (inbox_->try_push(std::move(wrapped)) || inbox_->closed()) return true;
  message = std::move(std::get<nostr::PoolMessage>(wrapped));
  return false;
}

void SyncThread::resume_pool() {
  const bool room = inbox_->size() < kInboxMessages / 2 && opening_ < kOpeningMessages / 2;
  if (room && pool_held_back_.exchange(false)) parts_.pool->resume_delivery();
}

void SyncThread::take(Message& message) {
  if (auto* in = std::get_if<Input>(&message)) {
    forget_job(*in);
    note_known(*in);
    feed(std::move(*in));
  } else if (auto* from_pool = std::get_if<nostr::PoolMessage>(&message)) {
    take_pool(*from_pool);
  } else if (auto* answer = std::get_if<HintOpener::Answer>(&message)) {
    opener_->answer(std::move(*answer));
    read_opened();
  } else {
    chain_update(std::get<ChainUpdate>(message));
  }
}

void SyncThread::take_pool(nostr::PoolMessage& message) {
  if (const auto* event = std::get_if<nostr::PoolEvent>(&message)) {
    const bool own = options_.engine.own_key && event->event.pubkey == *options_.engine.own_key;
    if (own && options_.on_own_event) options_.on_own_event(event->event);
  }
  if (!opener_) return read(message, std::nullopt);
  opener_->take(std::move(message));
  read_opened();
}

void SyncThread::read_opened() {
  while (const auto opened = opener_->next()) read(opened->message, opened->text);
  opening_ = opener_->held();
}

void SyncThread::read(const nostr::PoolMessage& message,
                      const std::optional<Result<std::string>>& text) {
  if (auto word = nostr_->read(message, text, system_now())) {
    std::visit([this](auto& said) { feed(std::move(said)); }, *word);
  }
  private_read_ = nostr_->counters().read;
  private_dropped_ = nostr_->counters().dropped;
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
  }
}

// What the state file has, as far as it decides which hints need not come again.
void SyncThread::note_known(const Input& in) {
  const auto holds = [this](const NameRow& row) {
    if (row.record) known_->committed(row.name, row.record->sequence, row.record->value);
  };
  if (const auto* done = std::get_if<input::Committed>(&in)) {
    const auto rows = commits_.extract(done->job);
    if (done->status && !rows.empty())
      std::for_each(rows.mapped().begin(), rows.mapped().end(), holds);
  } else if (const auto* watch = std::get_if<input::Watch>(&in)) {
    if (watch->stored) holds(*watch->stored);
  } else if (const auto* follow = std::get_if<input::Follow>(&in)) {
    if (follow->stored) holds(*follow->stored);
  } else if (const auto* unwatch = std::get_if<input::Unwatch>(&in)) {
    known_->forget(unwatch->name);
    pulled_.forget(unwatch->name);
  } else if (const auto* forget = std::get_if<input::Forget>(&in)) {
    known_->forget(forget->name);
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
  if (!nostr_) return;
  nostr_->set_names({names_.begin(), names_.end()});
}

void SyncThread::perform(action::Commit& action) {
  commits_[action.job] = action.rows;
  parts_.writer.submit(
      [rows = std::move(action.rows)](store::Database& db) { return save_names(db, rows); },
      [inbox = inbox_, job = action.job](Status status) {
        inbox->push_reserved(Input(input::Committed{job, std::move(status)}));
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
