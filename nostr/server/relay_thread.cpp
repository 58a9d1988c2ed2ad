#include "ipnscast/nostr/server/relay_thread.h"

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::nostr::server {
namespace {

// Answers held back until the commit: more than this ends the batch.
constexpr size_t kMaxPendingBytes = 4 * 1024 * 1024;
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
    core_.opened(opened->connection);
    pace_.opened(opened->connection);
  } else if (const auto* closed = std::get_if<ConnectionClosed>(&input)) {
    core_.closed(closed->connection);
    pace_.closed(closed->connection);
  } else if (const auto* drained = std::get_if<ConnectionDrained>(&input)) {
    pace_.drained(drained->connection);
    answer_held(drained->connection);
  } else if (auto* arrived = std::get_if<FrameArrived>(&input)) {
    take(std::move(*arrived));
  }
}

void RelayThread::take(FrameArrived frame) {
  const ServerConnectionId connection = frame.connection;
  if (!pace_.holds(connection)) {
    answer(connection, frame.text);
    if (frame.reading_paused) to_resume_.push_back(connection);
  } else if (pace_.hold(connection, std::move(frame.text)) || frame.reading_paused) {
    network_.pause_reading(connection);  // until all that is held was answered
  }
}

void RelayThread::answer(ServerConnectionId connection, const std::string& text) {
  core_.frame(connection, text, system_now());
  if (core_.pending_bytes() > kMaxPendingBytes) finish_batch();
}

void RelayThread::answer_held(ServerConnectionId connection) {
  while (const auto text = pace_.next(connection)) answer(connection, *text);
  if (!pace_.holds(connection)) to_resume_.push_back(connection);
}

void RelayThread::finish_batch() {
  for (RelayAction& action : core_.finish()) {
    pace_.handed_over(action.connection, action.frame->size());
    network_.send(action.connection, std::move(action.frame));
  }
  for (const ServerConnectionId connection : pace_.take_full())
    network_.when_drained(connection, AnswerPace::kDrained);
  for (const ServerConnectionId connection : to_resume_) network_.resume_reading(connection);
  to_resume_.clear();
  std::lock_guard lock(mutex_);
  counters_ = core_.counters();
}

}  // namespace ipnscast::nostr::server
