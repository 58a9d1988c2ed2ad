#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "ipnscast/bridge/announce/republisher.h"
#include "ipnscast/bridge/bridge.h"
#include "ipnscast/bridge/watch/watcher.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/engine/silence.h"

namespace ipnscast::bridge {

// A relay gave `newer` where it was sent `ours`.
struct HintSuperseded {
  nostr::Event ours;
  nostr::Event newer;
};
using DaemonMessage =
    std::variant<PollUpdate, HintSigned, HintCommitted, FutureHints, HintSuperseded>;
// Shared with callbacks on other threads, which may come after the daemon is gone.
using DaemonInbox = Inbox<DaemonMessage>;

// The bridge thread: polls through the watcher, keeps what is known of each name, and has the
// republisher announce what is owed.
class Daemon {
 public:
  using OnAnnounced = std::function<void(const Announcement&)>;
  // A name that is not to be announced now. Asked when something of it is owed, on the bridge
  // thread.
  using LeftAlone = std::function<bool(const sync::IpnsName&)>;

  // `announced`: what the state file has. `writer` outlives this.
  Daemon(std::shared_ptr<DaemonInbox> inbox, Watcher watcher, Republisher republisher,
         store::Writer& writer, std::vector<AnnouncedName> announced, LeftAlone left_alone,
         OnAnnounced on_announced);
  ~Daemon() { stop(); }

  // Begins with what was owed when the last process ended.
  void start(const std::vector<sync::IpnsName>& names);

  // Closes the inbox and waits for the thread. Idempotent.
  void stop();

  // Any thread.
  BridgeStatus status() const;

 private:
  void serve();
  void take(PollUpdate& update, Now now);
  void take(HintSigned& step, Now now);
  void take(FutureHints& step, Now now);
  void take(HintCommitted& step, Now now);
  void take(HintSuperseded& told, Now now);
  // Keeps the record if it is better than what is known. True when the value is another one.
  bool keep(const PollUpdate& update);
  void pay(const AnnouncedName& name, Now now);
  bool leave_alone(const sync::IpnsName& name);
  void count(uint64_t BridgeStatus::*what);
  void listen(Instant now);

  // constant after construction
  const std::shared_ptr<DaemonInbox> inbox_;
  store::Writer& writer_;
  const LeftAlone left_alone_;
  const OnAnnounced on_announced_;

  // bridge thread only
  Watcher watcher_;
  Republisher republisher_;
  std::unordered_map<sync::IpnsName, AnnouncedName> known_;
  std::unordered_set<sync::IpnsName> told_of_;  // names that are left alone
  sync::Silence silence_;                       // of the gateways

  mutable std::mutex mutex_;
  BridgeStatus status_;  // guarded by mutex_

  std::thread thread_;
};

}  // namespace ipnscast::bridge
