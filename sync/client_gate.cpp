#include "ipnscast/sync/client_gate.h"

#include <utility>

namespace ipnscast::sync {
namespace {

thread_local const ClientGate::Inside* innermost = nullptr;

}  // namespace

ClientGate::Inside::Inside(const ClientGate& gate, As as)
    : gate_(gate), as_(as), outer_(std::exchange(innermost, this)) {}

ClientGate::Inside::~Inside() { innermost = outer_; }

bool ClientGate::enter() {
  const std::lock_guard lock(mutex_);
  if (closing_) return false;
  ++calls_;
  return true;
}

void ClientGate::leave() {
  const std::lock_guard lock(mutex_);
  --calls_;
  changed_.notify_all();
}

void ClientGate::begin_closing() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  // Not under the lock: it calls those who wait to hear of it.
  stop_.request_stop();
}

bool ClientGate::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

bool ClientGate::inside() const {
  for (const Inside* at = innermost; at != nullptr; at = at->outer_) {
    if (&at->gate_ == this) return true;
  }
  return false;
}

bool ClientGate::in_progress_callback() const {
  for (const Inside* at = innermost; at != nullptr; at = at->outer_) {
    if (&at->gate_ == this && at->as_ == Inside::As::progress) return true;
  }
  return false;
}

size_t ClientGate::own_calls() const {
  size_t out = 0;
  for (const Inside* at = innermost; at != nullptr; at = at->outer_) {
    if (&at->gate_ == this && at->as_ == Inside::As::call) ++out;
  }
  return out;
}

void ClientGate::wait_for_calls() {
  const bool is_inside = inside();
  const size_t own = own_calls();
  std::unique_lock lock(mutex_);
  excused_ += own;
  changed_.notify_all();
  changed_.wait(lock, [&] { return calls_ <= (is_inside ? excused_ : 0); });
  excused_ -= own;
}

void ClientGate::leave_end_to_the_last() {
  const std::lock_guard lock(mutex_);
  end_is_left_ = true;
}

bool ClientGate::end_is_ours() const {
  if (inside()) return false;
  const std::lock_guard lock(mutex_);
  return end_is_left_ && calls_ == 0;
}

}  // namespace ipnscast::sync
