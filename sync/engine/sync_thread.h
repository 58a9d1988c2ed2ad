#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/sync/engine/engine.h"
#include "ipnscast/sync/engine/handler_lanes.h"
#include "ipnscast/sync/engine/pull_queue.h"
#include "ipnscast/sync/fetch/fetcher.h"
#include "ipnscast/sync/metrics/metrics.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/sync/source/hint_opener.h"
#include "ipnscast/sync/source/nostr_source.h"

namespace ipnscast::sync {

// The sync thread: owns the engine, turns what happens into its inputs and carries its actions to
// whoever does them. Does no I/O itself. Everything it is given outlives it.
class SyncThread {
 public:
  struct Parts {
    store::Writer& writer;
    Resolver& resolver;
    Fetcher& fetcher;
    BlockCache& cache;
    nostr::Pool* pool = nullptr;            // none: no relays are configured
    std::shared_ptr<nostr::Signer> opener;  // decrypts private hints; none: there are none
    WriterView* written = nullptr;  // the names that this device writes; none: it writes none
  };
  struct Options {
    EngineOptions engine;
    NostrSource::Options nostr;
    FetchOptions fetch;
    HandlerLanes::Options handlers;
    // A verified event of our own key, from any device: its address and time. Sync thread.
    std::function<void(const nostr::Event&)> on_own_event;
    // After each message. Sync thread.
    std::function<void()> on_turn;
    // Another device runs on a copy of this state: who we are has to change, and input::DeviceId to
    // say so. Sync thread; must not block.
    std::function<void()> on_clone;
    // What people should know: of a name, or of all. Sync thread; must not block.
    std::function<void(const std::optional<IpnsName>&, const std::string&)> on_trouble;
    // What gateways answered, when a resolution or poll is over. Resolver thread; must not block.
    std::function<void(const IpnsName&, const ResolveReport&)> on_resolved;
  };

  SyncThread(Parts parts, Options options);
  ~SyncThread();

  HandlerLanes& handlers() { return handlers_; }
  PullQueue& pulled() { return pulled_; }
  // Any thread. Waits for room.
  void tell(Input input);
  // The same past the inbox's limit, for a word that whoever is asked by the sync thread has to
  // say. Any thread; does not wait.
  void note(Input input) { inbox_->push_reserved(std::move(input)); }
  // Calls no handler any more. Waits for those that run, as HandlerLanes::close(), five seconds at
  // most. Idempotent.
  void close_handlers();
  // The same, stops taking anything, then ends. Idempotent.
  void close();

  // Any thread. How the sources are that news comes from.
  std::vector<SourceState> sources() const;
  PrivateHintCounters private_hints() const { return {private_read_, private_dropped_}; }

 private:
  // A resolution on the way along a chain of names.
  struct ChainUpdate {
    JobId job;
    ResolveUpdate update;
  };
  using Message = std::variant<Input, nostr::PoolMessage, ChainUpdate, HintOpener::Answer>;

  // What the engine asked for and is not answered yet.
  struct Work {
    std::optional<LookupId> lookup;
    std::optional<FetchId> fetch;
  };
  struct Chain {
    action::Fetch action;
    std::string value;  // where we are
    int depth = 0;
  };

  void serve();
  void take(Message& message);
  void note_known(const Input& input);
  bool accept(nostr::PoolMessage& message);
  bool put(nostr::PoolMessage& message);
  void resume_pool();
  void take_pool(nostr::PoolMessage& message);
  void read(const nostr::PoolMessage& message, const std::optional<Result<std::string>>& text);
  void read_opened();
  void feed(Input input);
  void note_names(const IpnsName& name);
  void note_sources();
  void ask_for_names();
  void forget_job(const Input& input);

  void perform(action::Resolve& action);
  void perform(action::Poll& action);
  void perform(action::Fetch& action);
  void perform(action::Cancel& action);
  void perform(action::Commit& action);
  void perform(action::Deliver& action);
  void perform(action::Offer& action);
  void perform(action::Revoke& action);
  void perform(action::Load& action);
  void perform(action::NewDeviceId& action);
  void perform(action::Alarm& action);
  void follow(JobId job);
  void fetch_root(JobId job, const Cid& root, std::string path);
  void chain_update(ChainUpdate& message);
  void chain_failed(JobId job, Error error);

  // constant after construction
  const Parts parts_;
  const Options options_;
  const std::shared_ptr<KnownHints> known_ = std::make_shared<KnownHints>();

  // sync thread only
  Engine engine_;
  std::unique_ptr<NostrSource> nostr_;
  std::unique_ptr<HintOpener> opener_;  // none: no private hints
  std::map<JobId, Work> work_;
  std::map<JobId, Chain> chains_;
  std::map<JobId, std::vector<NameRow>> commits_;  // under way
  std::set<IpnsName> names_;                       // followed
  bool names_changed_ = false;

  mutable std::mutex sources_mutex_;
  std::vector<SourceState> sources_;  // guarded by sources_mutex_
  std::atomic<bool> pool_held_back_ = false;
  std::atomic<size_t> opening_ = 0;  // messages that the opener holds
  std::atomic<uint64_t> private_read_ = 0;
  std::atomic<uint64_t> private_dropped_ = 0;
  const std::shared_ptr<Inbox<Message>> inbox_;  // shared with callbacks that may come after us
  HandlerLanes handlers_;
  PullQueue pulled_;
  std::thread thread_;
};

}  // namespace ipnscast::sync
