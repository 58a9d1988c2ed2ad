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
  // The same for hints, which go to these relays; none of them: there is no key to sign with.
  void expect_hints(size_t reports, const std::vector<nostr::RelayUrl>& relays);
  void place(Outcome::Place place);
  void reported();
  void hint_reported(const nostr::PublishReport& report);

  // Waits until all have come or the deadline has passed, then fills in places and quorum.
  void wait(Instant deadline, const nostr::Quorum& quorum, Outcome& outcome);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  size_t expected_ = 0;
  std::vector<Outcome::Place> places_;
  nostr::PublishReport hints_;  // the best that each relay made of any hint
};

}  // namespace ipnscast::sync
