#pragma once

// Private to the publisher.
#include <condition_variable>
#include <mutex>

#include "nostr/publish_outcome.h"
#include "sync/publisher.h"

namespace ipnscast::sync {

// What came back so far from routers and relays, shared between the threads that report and the
// caller who waits.
class Publisher::Progress {
 public:
  // So many reports have to come: one for each hint, one when the record is everywhere.
  void expect(size_t reports);
  void place(Outcome::Place place);
  void reported();
  void hint_reported(const nostr::PublishReport& report);

  // Waits until all have come or the deadline has passed, then fills in places and quorum.
  void wait(Instant deadline, size_t quorum, Outcome& outcome);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  size_t expected_ = 0;
  std::vector<Outcome::Place> places_;
  std::map<nostr::RelayUrl, nostr::RelayOutcome> relays_;  // the best of all hints
};

}  // namespace ipnscast::sync
