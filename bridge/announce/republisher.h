#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ipnscast/bridge/announce/announced.h"
#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/sync/hint/created_at.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::bridge {

// What comes back to the republisher from other threads.
struct HintSigned {
  sync::IpnsName name;
  uint64_t round = 0;
  size_t index = 0;  // of the event among those of the round
  Result<nostr::Event> event;
};
struct HintCommitted {
  sync::IpnsName name;
  uint64_t round = 0;
  Status status;
};
struct FutureHints {  // events of ours that lie too far ahead of the clock
  sync::IpnsName name;
  uint64_t round = 0;
  Result<std::vector<std::pair<nostr::Address, sync::SentAround>>> found;
};
using RepublishStep = std::variant<HintSigned, HintCommitted, FutureHints>;

// Turns verified records into hints: signs one event of each kind, commits the record, the marks of
// created_at, the ids and the outbox rows in one job, and lets the sender carry them. At most one
// hint of a name is made at a time; what fails is tried again, 1 s doubling to 5 min. Owned by one
// thread; `post` is called on others and brings the step to take().
class Republisher {
 public:
  struct Options {
    std::vector<int> kinds{30078, 30079};
    std::string topic = "ipns-sync";
    std::vector<nostr::RelayUrl> relays;
    nostr::Quorum quorum;
    nostr::OutboxLimits outbox;
  };
  using Post = std::function<void(RepublishStep)>;
  // On the outbox thread: what the relays made of an event.
  using OnReport = std::function<void(const sync::IpnsName&, const nostr::PublishReport&)>;

  // All of them outlive this.
  Republisher(std::shared_ptr<nostr::Signer> signer, store::Writer& writer,
              nostr::OutboxSender& sender, sync::CreatedAtAllocator created_at, Options options,
              Post post, OnReport on_report);

  // Announces the name's record. While a hint of the name is being made this does nothing: ask
  // again when it is done. While one waits for its second or for a retry, this one takes its place.
  void announce(const AnnouncedName& name, bool renewal, Now now);

  // A relay gave `newer`, an event of our key that hides what we announced of the name: announces
  // it again above that one, which is deleted first when it lies too far ahead of the clock. Until
  // that is committed the state file calls the name not announced. Nothing to do when something was
  // signed above it already, or is being made.
  void repair(const AnnouncedName& name, const nostr::Event& newer, Now now);
  // An event of our key that a relay gave: what we sign next goes above it.
  void learn(const nostr::Event& event, Now now);

  // The announcement when this step committed one.
  std::optional<Announcement> take(RepublishStep step, Now now);

  void tick(Now now);
  std::optional<Instant> next_tick() const;

 private:
  struct Work {
    uint64_t round = 0;  // of signing and committing
    sync::KnownRecord record;
    std::optional<sync::Cid> parent;
    bool renewal = false;
    bool repair = false;
    std::vector<nostr::UnsignedEvent> deletions;  // of events from the future, to go first
    size_t asked_for = 0;  // so many of them by repair(), the rest for the marks below
    // Addresses whose marks lay in the future, and those marks.
    std::vector<std::pair<nostr::Address, UnixSeconds>> wrong_marks;
    bool under_way = false;  // being looked up, signed or committed
    int failures = 0;
    std::vector<std::optional<nostr::Event>> events;  // of each kind, then the deletions
    LastHint hint;
  };

  void sign(const sync::IpnsName& name, Work& work, Now now);
  // Our marks lie in the future, from a clock that was wrong: what carried them is deleted first.
  void look_ahead(const sync::IpnsName& name, Work& work, Now now);
  void found_ahead(FutureHints& step, Now now);
  // When every address may have its next event; nothing: now.
  std::optional<UnixSeconds> held_until(const sync::IpnsName& name, bool& delete_first,
                                        Now now) const;
  void sign_one(const sync::IpnsName& name, uint64_t round, size_t index,
                Result<nostr::UnsignedEvent> event);
  void signed_one(HintSigned& step, Now now);
  void commit(const sync::IpnsName& name, Work& work);
  std::optional<Announcement> committed(const HintCommitted& step, Now now);
  void wait(const sync::IpnsName& name, Milliseconds time, Now now);
  void failed(const sync::IpnsName& name, Work& work, const Error& error, Now now);
  nostr::Address address(const sync::IpnsName& name, int kind) const;
  Work* find(const sync::IpnsName& name, uint64_t round);

  // constant after construction
  const std::shared_ptr<nostr::Signer> signer_;
  store::Writer& writer_;
  nostr::OutboxSender& sender_;
  const Options options_;
  const Post post_;
  const OnReport on_report_;

  sync::CreatedAtAllocator created_at_;
  BoundedSet<nostr::EventId> retracted_{1024};
  std::unordered_map<sync::IpnsName, Work> works_;
  std::set<std::pair<Instant, sync::IpnsName>> timers_;  // may name what is gone or under way
  uint64_t last_round_ = 0;
};

}  // namespace ipnscast::bridge
