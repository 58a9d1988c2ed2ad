#pragma once

// Private to nostr/probe.
#include "ipnscast/nostr/probe/conversation.h"
#include "ipnscast/nostr/probe/probe.h"

namespace ipnscast::nostr::probe {

constexpr Milliseconds kSecondLook{1'500};  // for relays that store, or cache, behind their OK

// One probe from its first connection to its last. Each step fills in its part of the report and
// leaves the rest alone; a step that has no time left leaves everything as not found out.
class Run {
 public:
  Run(Wire& wire, const RelayUrl& url, const Options& options);
  Report run();

 private:
  struct Place {
    int kind = 0;
    std::string d;
  };

  bool over();  // no time left, or cancelled; notes which
  Status reach();
  void measure();

  // run_access.cpp: who may write and read the hint kinds.
  void try_kind(KindAccess& access);
  Access served(Conversation& conversation, const Event& event, std::string& reason);
  void choose_kind();

  // run_behaviour.cpp: what becomes of versions of one address, and who hears of them.
  void try_replacement();
  void try_filters();
  void try_live();
  Conversation& listener();
  bool echo(Conversation& ear, const SubscriptionId& id);
  void try_negentropy();
  void read_back();

  // run_limits.cpp: how much the relay takes.
  void try_limits();
  void try_large_hint();
  void try_ahead_of_time();
  void try_filter_count();
  void try_subscriptions();

  // run_cleanup.cpp
  void clean_up();
  void request_deletion(Seconds later);
  std::optional<size_t> count_left();
  std::optional<size_t> count_served();

  // A version of one of our addresses; every event that may be at the relay is remembered.
  Event version(const Place& place, UnixSeconds created_at, std::string content = {});
  Event next_version(const Place& place) { return version(place, {next_time_++}); }
  Filter filter_of(const Place& place) const;
  // What the author is served, authenticated if that makes the difference.
  Reading read_own(Conversation& conversation, const Filter& filter);
  // The same where `wanted` should be: a relay that serves it only later is given a second look.
  Reading read_own(Conversation& conversation, const Filter& filter, const Event& wanted);

  // constant after construction
  Wire& wire_;
  const Options options_;
  const SecretKey author_key_ = SecretKey::generate();
  const SecretKey stranger_key_ = SecretKey::generate();
  const std::string d_;
  const Instant start_;
  const Instant work_end_;  // what is left after it is for cleaning up
  const Instant end_;

  Report report_;
  Conversation author_;
  Conversation stranger_;
  Conversation second_author_;
  int64_t next_time_;  // created_at of the next version: all lie in the past
  std::vector<Event> written_;
  std::optional<Event> newest_;  // at the place that most steps use
  Place place_;                  // chosen by choose_kind()
  Instant last_written_{};
  uint32_t counts_ = 0;  // how often count_left() has asked
};

}  // namespace ipnscast::nostr::probe
