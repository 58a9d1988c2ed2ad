#pragma once

// Private to the publisher.
#include <condition_variable>
#include <map>
#include <mutex>

#include "ipnscast/nostr/relay/publish_outcome.h"
#include "ipnscast/sync/publish/publisher.h"

namespace ipnscast::sync {

// What came back so far from routers and relays, shared between the threads that report and the
// caller who waits.
class Publisher::Progress {
 public:
  // Something is still to be sent. Until then nobody is through.
  void hold();
  void let_go() { reported(); }
  // The record goes to these places. What is not known of one by the end goes on.
  void expect_record(std::vector<Outcome::Place> takers);
  // What became of it at one; who turned out to take no records is none of the places.
  void place(Outcome::Place place);
  void record_everywhere();

  // So many reports have to come, about hints for these relays; none of them: there is no key to
  // sign with.
  void expect_hints(size_t reports, const std::vector<nostr::RelayUrl>& relays);
  void hint_reported(const nostr::PublishReport& report);

  // Waits until all have come, the deadline has passed, or it is asked to stop. Then fills in
  // places and quorum.
  void wait(Instant deadline, const nostr::Quorum& quorum, Outcome& outcome,
            const std::stop_token& stop = {});

 private:
  void reported();

  const Instant started_ = std::chrono::steady_clock::now();

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  size_t expected_ = 0;                            // reports
  std::vector<Outcome::Place> places_;             // of the record
  std::map<std::string, Outcome::Place> pending_;  // likewise, by URL
  nostr::PublishReport hints_;                     // the best that each relay made of any hint
};

}  // namespace ipnscast::sync
