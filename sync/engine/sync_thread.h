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
#include "ipnscast/sync/source/known_hints.h"
#include "ipnscast/sync/source/source.h"
#include "ipnscast/sync/state/status.h"

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
    WriterView* written = nullptr;      // the names that this device writes; null: it writes none
    std::shared_ptr<KnownHints> known;  // is told what the state file has
  };
  struct Options {
    EngineOptions engine;
    std::vector<MakeSource> sources;
    FetchOptions fetch;
    HandlerLanes::Options handlers;
    // After each message. Sync thread.
    std::function<void()> on_turn;
    // Another device runs on a copy of this state: who we are has to change, and input::DeviceId to
    // say so. Sync thread; must not block.
    std::function<void()> on_clone;
    // The application has taken this version in, and the state file says so. Sync thread; must not
    // block.
    std::function<void(const IpnsName&, const Version&)> on_taken;
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

 private:
  // A resolution on the way along a chain of names.
  struct ChainUpdate {
    JobId job;
    ResolveUpdate update;
  };
  using Message = std::variant<Input, SourceMessage, ChainUpdate>;
  class Sink;

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
  void let_on();
  void take_news(SourceMessage& message);
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
  void perform(action::ReadVersion& action);
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

  // sync thread only
  Engine engine_;
  std::vector<std::unique_ptr<Source>> news_;
  std::map<JobId, Work> work_;
  std::map<JobId, Chain> chains_;
  std::map<JobId, std::vector<NameRow>> commits_;  // under way
  // Contents of older versions, until they are handed over.
  std::map<IpnsName, BlockCache::Hold> held_;
  std::set<IpnsName> names_;  // followed
  bool names_changed_ = false;

  mutable std::mutex sources_mutex_;
  std::vector<SourceState> sources_;             // guarded by sources_mutex_
  const std::shared_ptr<Inbox<Message>> inbox_;  // shared with callbacks that may come after us
  const std::shared_ptr<Sink> sink_;             // the same
  HandlerLanes handlers_;
  PullQueue pulled_;
  std::thread thread_;
};

}  // namespace ipnscast::sync
