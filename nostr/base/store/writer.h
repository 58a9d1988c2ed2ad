#pragma once

#include <functional>
#include <memory>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/store/database.h"

namespace ipnscast::store {

// The store thread: owns the writing connection of one state file, takes jobs in order, runs as
// many as are waiting in one transaction (256 at most), commits, and only then tells each job's
// owner. A job that fails is rolled back alone (savepoint). When the commit itself fails, every job
// of the batch is told so, and nothing of it is in the file.
class Writer {
 public:
  // Runs on the store thread inside the transaction.
  using Work = std::function<Status(Database&)>;
  // Called on the store thread after the commit (or the failure). Must not block: push into an
  // inbox.
  using Done = std::function<void(Status)>;

  // Takes over the connection. `thread_name` is "store" for the state file.
  explicit Writer(std::unique_ptr<Database> database, const char* thread_name = "store");
  // Commits what was accepted, then ends the thread.
  ~Writer();

  // Any thread. Waits for room when 1024 jobs are queued. After close(): done(Errc::closed).
  void submit(Work work, const Done& done);
  // Submits and waits for the commit. Not from the store thread.
  Status run(Work work);
  // Accepts nothing more; returns when the rest is committed. Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::store
