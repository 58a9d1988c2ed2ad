#pragma once

// Private to the publisher: what it holds of a publish, and of a name that is written.
#include "ipnscast/sync/publish/progress.h"

namespace ipnscast::sync {

// A publish, from before it is signed until the caller knows what became of it.
struct Publisher::Task {
  Task(IpnsName n, Cid c, const PublishOptions& o, const Stored& s)
      : name(std::move(n)), cid(std::move(c)), options(o), stored(s) {
    progress->hold();
  }

  // constant
  const IpnsName name;
  const Cid cid;
  const PublishOptions options;
  const Stored stored;
  const std::shared_ptr<Progress> progress = std::make_shared<Progress>();

  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  std::optional<Result<writer_action::Answer>> answer;
  bool committing = false;     // it is not stopped any more
  bool stopped = false;        // it is not committed any more
  std::optional<Error> error;  // why it could not be signed or committed, or why nobody answered
  std::optional<nostr::EventId> hint;
  Bytes record;
  Errands::Guard guard;  // until the record is on its way
  bool sent = false;

  // The first answer counts.
  void settle(Result<writer_action::Answer> with) {
    {
      std::lock_guard lock(mutex);
      if (!answer) answer = std::move(with);
    }
    changed.notify_all();
  }
  // Until there is an answer. When it is asked to stop: at once, unless it is being committed, and
  // without waiting for the end of `settle`.
  Result<writer_action::Answer> wait();
  // False: it was stopped before.
  bool begin_commit() {
    std::lock_guard lock(mutex);
    if (stopped) return false;
    committing = true;
    return true;
  }
  void end_commit(bool done, const Bytes& bytes, const std::optional<nostr::EventId>& event);
  Errands::Guard take_guard() {
    std::lock_guard lock(mutex);
    return std::exchange(guard, nullptr);
  }
  // The record and its hints are on their way, or never will be.
  void sending_is_over() {
    {
      std::lock_guard lock(mutex);
      if (std::exchange(sent, true)) return;
    }
    progress->let_go();
  }
  void note(Error why) {
    std::lock_guard lock(mutex);
    error = std::move(why);
  }
};

// What was signed last under a name.
struct Publisher::Made {
  IpnsRecord record;
  std::optional<Cid> previous;  // root of the value before
  std::shared_ptr<Task> task;   // none: of the writer's own accord
};

struct Publisher::Writing {
  std::mutex mutex;
  // guarded by mutex
  std::optional<Made> made;
  std::optional<Bytes> own;          // the record that the file has as ours
  std::optional<Bytes> owed;         // the record that the file says goes to all places
  std::optional<IpnsRecord> record;  // the same, until it is sent
  std::vector<SignedHint> hints;     // of it, until they are sent
  std::shared_ptr<Task> bringing;    // whose it is
  bool unsent = false;               // this run committed it
  std::string silence;               // who did not answer last time, for people
};

}  // namespace ipnscast::sync
