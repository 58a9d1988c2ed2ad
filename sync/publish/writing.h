#pragma once

// Private to the publisher: what it holds of a publish, and of a name that is written.
#include <future>

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

  std::promise<Result<writer_action::Answer>> answer;  // once

  std::mutex mutex;
  // guarded by mutex
  std::optional<Error> error;  // why it could not be signed or committed, or why nobody answered
  std::optional<nostr::EventId> hint;
  Bytes record;
  Errands::Guard guard;  // until the record is on its way
  bool sent = false;

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
  Bytes record;
  std::optional<Cid> previous;  // root of the value before
  std::shared_ptr<Task> task;   // none: of the writer's own accord
};

struct Publisher::Writing {
  std::mutex mutex;
  // guarded by mutex
  std::optional<Made> made;
  std::optional<Bytes> owed;       // the record that the file says goes to all places
  std::vector<SignedHint> hints;   // of it; until they are sent
  std::shared_ptr<Task> bringing;  // whose it is
  std::string silence;             // who did not answer last time, for people
};

}  // namespace ipnscast::sync
