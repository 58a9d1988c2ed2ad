#include "ipnscast/bridge/daemon.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/hint/hint_repair.h"

namespace ipnscast::bridge {

Daemon::Daemon(std::shared_ptr<DaemonInbox> inbox, Watcher watcher, Republisher republisher,
               store::Writer& writer, std::vector<AnnouncedName> announced, LeftAlone left_alone,
               OnAnnounced on_announced)
    : inbox_(std::move(inbox)),
      writer_(writer),
      left_alone_(std::move(left_alone)),
      on_announced_(std::move(on_announced)),
      watcher_(std::move(watcher)),
      republisher_(std::move(republisher)) {
  for (AnnouncedName& name : announced) known_.emplace(name.name, std::move(name));
}

void Daemon::stop() {
  inbox_->close();
  if (thread_.joinable()) thread_.join();
}

void Daemon::start(const std::vector<sync::IpnsName>& names) {
  const Now now = system_now();
  for (const sync::IpnsName& name : names) {
    watcher_.add(name, now.steady);
    if (const auto it = known_.find(name); it != known_.end()) pay(it->second, now);
  }
  thread_ = std::thread([this] { serve(); });
}

void Daemon::serve() {
  set_thread_name("bridge");
  for (;;) {
    Now now = system_now();
    watcher_.poll_due(now.steady);
    republisher_.tick(now);
    const auto poll = watcher_.next();
    const auto tick = republisher_.next_tick();
    auto next = poll && tick ? std::min(poll, tick) : std::max(poll, tick);
    if (const auto word = silence_.next()) next = next ? std::min(*next, *word) : *word;
    auto message = next ? inbox_->pop_until(*next) : inbox_->pop();
    if (inbox_->closed()) return;
    now = system_now();
    if (message) std::visit([&](auto& m) { take(m, now); }, *message);
    listen(now.steady);
  }
}

// Says when no gateway has answered for a while, and when one does again.
void Daemon::listen(Instant now) {
  const auto lasts = silence_.lasts(now);
  {
    std::lock_guard lock(mutex_);
    status_.silent_since = lasts ? std::optional(now - *lasts) : std::nullopt;
  }
  const auto word = silence_.word(now);
  if (!word) return;
  const std::string seconds = std::to_string((word->lasted.count() + 500) / 1'000) + " s";
  log_warning("bridge", word->over ? "a gateway answers again, after " + seconds
                                   : "no gateway has answered for " + seconds +
                                         "; changes will be seen when one does again");
}

void Daemon::take(PollUpdate& update, Now now) {
  if (update.over) count(&BridgeStatus::polls);
  if (update.over && update.failed) count(&BridgeStatus::failed_polls);
  if (update.over || update.record) silence_.asked(!update.failed, now.steady);
  const bool changed = keep(update);
  watcher_.take(update, changed, now.steady);
  if (const auto it = known_.find(update.name); it != known_.end()) pay(it->second, now);
}

bool Daemon::keep(const PollUpdate& update) {
  if (!update.record) return false;
  const auto [it, first] =
      known_.try_emplace(update.name, AnnouncedName{update.name, *update.record, {}});
  AnnouncedName& name = it->second;
  const bool changed = first || name.record.value != update.record->value;
  if (!first) {
    if (!sync::wins_over(*update.record, name.record)) return false;
    name.record = *update.record;
  }
  count(changed ? &BridgeStatus::changes : &BridgeStatus::refreshes);
  if (changed) {
    log_info("bridge", name.name.to_string() + ": sequence " +
                           std::to_string(name.record.sequence.value) + " from " + update.source);
  }
  if (changed && !sync::root_of(name.record.value)) {
    log_warning("bridge", name.name.to_string() + ": " + name.record.value +
                              " has no CID of its own and is not announced");
  }
  // A change is written again with the hint that announces it; should the process end before, it is
  // owed when the next one begins.
  writer_.submit([name = name.name, record = name.record](
                     store::Database& db) { return save_record(db, name, record); },
                 [](Status saved) {
                   if (!saved) log_error("bridge", saved.error().message);
                 });
  return changed;
}

void Daemon::pay(const AnnouncedName& name, Now now) {
  const Owed what = owed(name, now.wall);
  if (what != Owed::nothing && !leave_alone(name.name))
    republisher_.announce(name, what == Owed::renewal, now);
}

bool Daemon::leave_alone(const sync::IpnsName& name) {
  if (!left_alone_(name)) {
    told_of_.erase(name);
    return false;
  }
  if (told_of_.insert(name).second)
    log_warning("bridge", name.to_string() +
                              ": its announcements were retracted, so it is left alone until it is "
                              "published or announced again");
  return true;
}

void Daemon::take(HintSigned& step, Now now) { republisher_.take(std::move(step), now); }
void Daemon::take(FutureHints& step, Now now) { republisher_.take(std::move(step), now); }

void Daemon::take(HintCommitted& step, Now now) {
  const auto announcement = republisher_.take(std::move(step), now);
  if (!announcement) return;
  count(announcement->repair    ? &BridgeStatus::repairs
        : announcement->renewal ? &BridgeStatus::renewals
                                : &BridgeStatus::announcements);
  AnnouncedName& name = known_.at(announcement->name);
  name.hint = announcement->hint;
  if (on_announced_) on_announced_(*announcement);
  pay(name, now);  // a newer record may have come meanwhile
}

void Daemon::take(HintSuperseded& told, Now now) {
  if (told.newer.pubkey != told.ours.pubkey) return;
  const auto hint = sync::parse_hint(told.ours);
  const auto name = hint ? known_.find(hint->name) : known_.end();
  const bool hidden = name != known_.end() && sync::hides(hint, sync::parse_hint(told.newer));
  if (hidden && !leave_alone(name->first)) {
    republisher_.repair(name->second, told.newer, now);
  } else {
    republisher_.learn(told.newer, now);
  }
}

void Daemon::count(uint64_t BridgeStatus::*what) {
  const std::lock_guard lock(mutex_);
  ++(status_.*what);
}

BridgeStatus Daemon::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace ipnscast::bridge
