#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "ipnscast/bridge/watch/scheduler.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::bridge {

// What a poll has to say: perhaps a verified record, several times as better ones arrive, and once
// and last that it is over. A record that was heard without asking (pubsub) is no poll's: number 0.
struct PollUpdate {
  sync::IpnsName name;
  uint64_t poll = 0;  // which one
  std::optional<sync::KnownRecord> record;
  std::string source;  // the URL that had the record; "URL (pubsub)" when it was heard there
  bool over = false;
  bool failed = false;  // over: nobody answered anything
};

// Reads an update of the resolver.
PollUpdate read_poll(const sync::IpnsName& name, uint64_t poll, const sync::ResolveUpdate& update);

// Asks the gateways about each name when the scheduler says so. Owned by one thread; `post` is
// called on the resolver's and brings the update to take() on the owner's.
class Watcher {
 public:
  using Post = std::function<void(PollUpdate)>;

  // The resolver outlives this.
  Watcher(sync::Resolver& resolver, Scheduler scheduler, Post post)
      : resolver_(resolver), scheduler_(std::move(scheduler)), post_(std::move(post)) {}

  void add(const sync::IpnsName& name, Instant now) { scheduler_.add(name, now); }

  // Starts what is due.
  void poll_due(Instant now);
  std::optional<Instant> next() const { return scheduler_.next(); }

  // `changed`: the record in it has another value than what was known.
  void take(const PollUpdate& update, bool changed, Instant now);

 private:
  struct Poll {
    uint64_t number = 0;
    bool changed = false;
  };

  // constant after construction
  sync::Resolver& resolver_;
  Scheduler scheduler_;
  const Post post_;

  std::unordered_map<sync::IpnsName, Poll> polls_;
  uint64_t last_poll_ = 0;
};

}  // namespace ipnscast::bridge
