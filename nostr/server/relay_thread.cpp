#include "nostr/server/relay_thread.h"

#include "nostr/base/log.h"
#include "nostr/base/thread_name.h"

namespace ipnscast::nostr::server {
namespace {

// Answers held back until the commit: more than this ends the batch.
constexpr size_t kMaxPendingBytes = 16 * 1024 * 1024;
// Expired events are not served anyway: they go in small steps, so that nobody waits for them.
constexpr Seconds kPurgeInterval{60};
constexpr Milliseconds kPurgePause{50};
constexpr int64_t kPurgeBatch = 500;

}  // namespace

RelayThread::RelayThread(Inbox<RelayInput>& inbox, std::unique_ptr<RelayStore> store,
                         RelayOptions options, net::WebSocketServer& network)
    : inbox_(inbox),
      network_(network),
      store_(std::move(store)),
      core_(std::move(options), *store_),
      thread_([this] {
        set_thread_name("relay");
        loop();
      }) {}

RelayThread::~RelayThread() { thread_.join(); }

RelayCounters RelayThread::counters() const {
  std::lock_guard lock(mutex_);
  return counters_;
}

void RelayThread::loop() {
  Instant next_purge = system_now().steady;
  while (true) {
    if (system_now().steady >= next_purge) next_purge = system_now().steady + purge();
    auto first = inbox_.pop_until(next_purge);
    if (!first && inbox_.closed() && inbox_.size() == 0) return;
    if (!first) continue;
    take(*first);
    for (RelayInput& input : inbox_.drain()) take(input);
    finish_batch();
  }
}

// When to come back.
Milliseconds RelayThread::purge() {
  const auto purged = store_->purge_expired(system_now().seconds(), kPurgeBatch);
  if (!purged) log_error("relay", purged.error().message);
  return purged && *purged == kPurgeBatch ? kPurgePause : Milliseconds(kPurgeInterval);
}

void RelayThread::take(RelayInput& input) {
  if (const auto* opened = std::get_if<ConnectionOpened>(&input)) {
    core_.opened(opened->connection, system_now());
  } else if (const auto* closed = std::get_if<ConnectionClosed>(&input)) {
    core_.closed(closed->connection);
  } else if (const auto* arrived = std::get_if<FrameArrived>(&input)) {
    core_.frame(arrived->connection, arrived->text, system_now());
    if (arrived->reading_paused) to_resume_.push_back(arrived->connection);
    if (core_.pending_bytes() > kMaxPendingBytes) finish_batch();
  }
}

void RelayThread::finish_batch() {
  for (RelayAction& action : core_.finish())
    network_.send(action.connection, std::move(action.frame));
  for (const ServerConnectionId connection : to_resume_) network_.resume_reading(connection);
  to_resume_.clear();
  std::lock_guard lock(mutex_);
  counters_ = core_.counters();
}

}  // namespace ipnscast::nostr::server
