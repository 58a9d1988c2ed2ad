#include "ipnscast/nostr/base/store/writer.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <future>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::store {
namespace {

constexpr size_t kMaxQueued = 1024;
constexpr size_t kMaxBatch = 256;

struct Job {
  Writer::Work work;
  Writer::Done done;
};

// A job's own failure, or that the whole transaction is gone.
struct JobOutcome {
  Status job;
  Status transaction;
};

Status run_guarded(const Writer::Work& work, Database& db) {
  try {
    return work(db);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("a store job threw: ") + thrown.what());
  }
}

JobOutcome run_in_savepoint(const Writer::Work& work, Database& db) {
  if (Status marked = db.execute("SAVEPOINT job"); !marked) return {marked, marked};
  Status status = run_guarded(work, db);
  Status undone;
  if (!status) undone = db.execute("ROLLBACK TO job");
  // Fails when SQLite rolled everything back by itself, as it may when the disk is full.
  Status released = db.execute("RELEASE job");
  if (undone && released) return {status, {}};
  const Status lost = !status ? status : released;
  return {lost, lost};
}

std::vector<Status> run_batch(std::span<const Job> jobs, Database& db) {
  const auto all_failed = [&](const Status& why) {
    db.rollback();
    return std::vector<Status>(jobs.size(), why);
  };
  if (Status begun = db.begin(); !begun) return all_failed(begun);
  std::vector<Status> outcomes;
  for (const Job& job : jobs) {
    JobOutcome outcome = run_in_savepoint(job.work, db);
    if (!outcome.transaction) return all_failed(outcome.transaction);
    outcomes.push_back(std::move(outcome.job));
  }
  if (Status committed = db.commit(); !committed) return all_failed(committed);
  return outcomes;
}

}  // namespace

struct Writer::Impl {
  Impl(std::unique_ptr<Database> database, const char* thread_name)
      : db(std::move(database)), inbox(kMaxQueued), thread([this, thread_name] {
          set_thread_name(thread_name);
          loop();
        }) {}

  void loop() {
    while (auto first = inbox.pop()) {
      std::vector<Job> jobs = inbox.drain();
      jobs.insert(jobs.begin(), std::move(*first));
      for (size_t at = 0; at < jobs.size(); at += kMaxBatch) {
        const auto batch = std::span(jobs).subspan(at, std::min(kMaxBatch, jobs.size() - at));
        std::vector<Status> outcomes = run_batch(batch, *db);
        for (size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(outcomes[i]));
      }
    }
  }

  // store thread only
  std::unique_ptr<Database> db;

  Inbox<Job> inbox;

  std::mutex close_mutex;
  std::thread thread;  // joined under close_mutex
};

Writer::Writer(std::unique_ptr<Database> database, const char* thread_name)
    : impl_(std::make_unique<Impl>(std::move(database), thread_name)) {}

Writer::~Writer() { close(); }

void Writer::submit(Work work, const Done& done) {
  if (!impl_->inbox.push({std::move(work), done})) done(fail(Errc::closed, "the store is closed"));
}

Status Writer::run(Work work) {
  assert(std::this_thread::get_id() != impl_->thread.get_id());
  std::promise<Status> promise;
  auto outcome = promise.get_future();
  submit(std::move(work), [&](Status status) { promise.set_value(std::move(status)); });
  return outcome.get();
}

void Writer::close() {
  impl_->inbox.close();
  std::lock_guard lock(impl_->close_mutex);
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace ipnscast::store
