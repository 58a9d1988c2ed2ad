#include "ipnscast/tools/watch/record_keeping.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::tools {
namespace {

// After a record was noticed: its publisher brings it to the same places just now.
constexpr Milliseconds kAfterChange{2'000};
// When nobody took it, or nothing is known yet.
constexpr Milliseconds kPutAgain{300'000};

}  // namespace

RecordKeeping::RecordKeeping(Places& places, std::vector<sync::IpnsName> names,
                             std::filesystem::path state_dir, Milliseconds every)
    : places_(places), state_dir_(std::move(state_dir)), every_(every) {
  const Instant now = std::chrono::steady_clock::now();
  for (const auto& name : names) due_.emplace(name, now);
  thread_ = std::thread([this] { run(); });
}

RecordKeeping::~RecordKeeping() {
  stop();
  thread_.join();
}

void RecordKeeping::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  places_.records().close();
}

void RecordKeeping::noticed(const sync::Change& change) {
  using Kind = sync::ChangeKind;
  if (change.kind == Kind::provisional || change.kind == Kind::withdrawn ||
      change.kind == Kind::stale || change.kind == Kind::lost)
    return;
  const std::lock_guard lock(mutex_);
  const auto due = due_.find(change.name);
  if (due == due_.end()) return;
  due->second = std::min(due->second, std::chrono::steady_clock::now() + kAfterChange);
  changed_.notify_all();
}

void RecordKeeping::run() {
  set_thread_name("keep-alive");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next = std::min_element(
        due_.begin(), due_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (next == due_.end()) {
      changed_.wait(lock);
      continue;
    }
    const Instant now = std::chrono::steady_clock::now();
    if (next->second > now) {
      changed_.wait_until(lock, next->second);
      continue;
    }
    const sync::IpnsName name = next->first;
    next->second = now + every_;
    lock.unlock();
    const bool kept = put(name);
    lock.lock();
    if (!kept) due_[name] = std::min(due_[name], std::chrono::steady_clock::now() + kPutAgain);
  }
}

bool RecordKeeping::put(const sync::IpnsName& name) {
  const auto known = sync::read_known(state_dir_, name);
  if (!known) {
    log_warning("watch", "--keep-alive: what is known of " + name.to_string() +
                             " cannot be read: " + known.error().message);
    return false;
  }
  if (!*known) return false;
  if (sync::expired(sync::known_record(**known), system_now().wall)) {
    log_info("watch", "--keep-alive: the record of " + name.to_string() +
                          " has expired, only its publisher can make another one");
    return false;
  }
  const auto places = places_.records().send_now(name, **known);
  const auto kept = static_cast<size_t>(std::count_if(
      places.begin(), places.end(), [](const auto& place) { return place.ok || place.newer; }));
  log_info("watch", "--keep-alive: the record of " + name.to_string() + " is at " +
                        std::to_string(kept) + " of " + std::to_string(places.size()) + " places");
  for (const auto& place : places) {
    if (!place.ok && !place.newer)
      log_info("watch", "--keep-alive: " + place.url + ": " + place.detail);
  }
  return kept > 0;
}

}  // namespace ipnscast::tools
