#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ipnscast/nostr/base/allowance.h"
#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/engine/author_book.h"
#include "ipnscast/sync/engine/decision.h"
#include "ipnscast/sync/engine/deduplicator.h"
#include "ipnscast/sync/engine/messages.h"
#include "ipnscast/sync/engine/poll_schedule.h"
#include "ipnscast/sync/engine/silence.h"
#include "ipnscast/sync/engine/tracked_name.h"
#include "ipnscast/sync/writer/writer_view.h"

namespace ipnscast::sync {

struct EngineOptions {
  std::vector<nostr::PublicKey> trusted_authors;
  std::optional<nostr::PublicKey> own_key;
  std::string device_id;
  Confirm confirm = Confirm::always;
  ExpiredPolicy expired = ExpiredPolicy::last_good;
  PollSchedule::Options poll;
  AuthorBook::Options authors;
  // Resolutions that the claims of one push server may cause: so many at once, and in a second.
  double server_burst = 100;
  double server_rate = 10;
  // While no source is there one name is polled after this time, then twice as long, and so on.
  Milliseconds silent_poll{5'000};
  Milliseconds first_poll_spread{
      1'000};  // names are polled within this time after they begin to be watched
  Milliseconds debounce{
      500};  // between claims of one name that are followed up; the last one always is
  Milliseconds answer_by{2'000};
  Milliseconds slow_listen{60'000};
  Milliseconds poll_timeout{10'000};
  Milliseconds fetch_timeout{1'800'000};
  Milliseconds grace{5'000};                // past a deadline, until work counts as lost
  Milliseconds provisional_limit{300'000};  // until an unproved provisional value is withdrawn
  int max_chases = 6;                       // resolutions for one claim, 1 s doubling between them
  Milliseconds handler_timeout{600'000};    // of who takes changes himself
  size_t max_names = 1'000'000;
  bool secret_names = false;  // which names are watched stands in no log while all is well
  size_t max_sent = 65'536;
  size_t history_versions = 1'000;       // that the state file keeps of a name
  Milliseconds older_patience{300'000};  // for the content of a version that was replaced
};

// Knows what changed and sees to it that the handler is told: DESIGN, "The engine's promises". A
// pure state machine on the caller's clock: inputs in, actions out, no I/O, no clock, no thread of
// its own. The sync thread owns it.
//
// A record that wins goes into the row, the row is committed, the content is fetched beside that,
// and when both are done the change is handed over; the acknowledgement is committed too. After a
// crash at any instant the rows say what is still owed. Everything that a name may do next is
// decided in one place, advance(), from its state alone.
class Engine {
 public:
  // `seed` for jitter. `writers`: names that this device writes; null: it writes none. It outlives
  // the engine, and is asked from within handle() only.
  Engine(EngineOptions options, uint64_t seed, WriterView* writers = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes one input and gives what is to be done because of it, in order.
  std::vector<Action> handle(Input input, Now now);

  // When the next Tick is due. Nothing: only when an input arrives.
  std::optional<Instant> next_wake() const;

  // The row of a name that is followed as it is in memory. nullptr when unknown.
  const NameRow* find(const IpnsName& name) const;
  size_t size() const { return names_.size(); }
  // How often each row of the decision table applied.
  const std::map<Row, uint64_t>& counts() const { return counts_; }
  const Deduplicator& deduplicator() const { return deduplicator_; }
  const PollSchedule& sources() const { return schedule_; }
  const AuthorBook& authors() const { return authors_; }
  // A sync of this name is under way or something is owed to its handler.
  bool busy(const IpnsName& name) const;

 private:
  struct Dispatch;
  using Tracked = TrackedName;

  // engine.cpp: names, time; source_health.cpp: sources
  void take(input::Watch& in);
  void take(input::Follow& in);
  void take(input::Written& in);
  void take(input::Unwatch& in);
  void take(input::Take& in);
  void take(input::Forget& in);
  void take(SourceHealth& in);
  void take(input::Sent& in);
  void take(input::DeviceId& in);
  void take(input::Tick& in);
  void poll_soon(size_t most);
  void begin_to_follow();
  void listen();
  void ask_soon(Tracked& name);
  void advance(Tracked& name);
  void give_up_on_lost_work(Tracked& name);
  void poll_if_due(Tracked& name);
  void plan_poll(Tracked& name);
  void schedule(Tracked& name);
  void drop_work(Tracked& name);
  Tracked* tracked(const IpnsName& name);
  Tracked* track(const IpnsName& name, std::optional<NameRow> stored);
  JobId next_job() { return JobId{++last_job_}; }
  void emit(Action action) { out_.push_back(std::move(action)); }

  // claims.cpp: what others say, and resolving it
  void take(News& in);
  void take(input::ResolveUpdate& in);
  void take(input::PollDone& in);
  void follow_up(Tracked& name, News news, Now arrived);
  void follow_pending(Tracked& name);
  void start_resolve(Tracked& name, std::optional<Sequence> floor);
  void settle_resolve(Tracked& name);
  void consider_best(Tracked& name);
  void finish_resolve(Tracked& name);
  void drop_claim(Tracked& name);
  Trust trust_of(const News& news);
  bool within_budget(const News& news);
  bool reached(const Tracked& name, const News& news) const;
  bool later_than_sent(const News& news) const;

  // records.cpp: what is proved
  void take(RecordArrived& in);
  void consider(Tracked& name, const KnownRecord& record, const SourceId& source,
                const std::optional<nostr::PublicKey>& author, bool unconfirmed = false);
  void weigh(Tracked& name, const KnownRecord& record, const SourceId& source,
             const std::optional<nostr::PublicKey>& author, bool unconfirmed);
  void tell_writer(Tracked& name);
  void follow_truth(Tracked& name);
  void adopt_own(Tracked& name, const KnownRecord& record);
  void adopt(Tracked& name, const KnownRecord& record, const RecordDecision& decision,
             const SourceId& source, const std::optional<nostr::PublicKey>& author,
             bool unconfirmed);
  void settle_provisional(Tracked& name);
  void withdraw_provisional(Tracked& name);
  void check_expiry(Tracked& name);
  Known known(Tracked& name) const;
  void owe(Tracked& name, ChangeKind kind);
  void owe_expiry(Tracked& name, ChangeKind kind);
  void begin_attempts(Tracked& name);

  // history.cpp: versions before the newest one
  void take(input::Replay& in);
  void take(input::VersionRead& in);
  void hear(Tracked& name, const std::optional<Version>& before, const SourceId& source,
            const std::optional<nostr::PublicKey>& author, UnixMillis seen);
  void note(Tracked& name, HistoryNote note);
  void settle_newest(Tracked& name);
  void have_own(Tracked& name);
  void pass(Tracked& name, const Tracked::Delivering& done, bool refused);
  bool owes_older(const Tracked& name) const;
  void bring_older(Tracked& name);
  void read_older(Tracked& name);
  void fetch_older(Tracked& name);
  void give_up_content(Tracked& name);
  void drop_older(Tracked& name);
  bool older_fetched(Tracked& name, JobId job, std::optional<Cid> cid);
  bool older_failed(Tracked& name, JobId job);
  bool older_ready(const Tracked& name) const;
  Change older_change(const Tracked& name) const;
  void tell_dropped(Tracked& name);

  // content.cpp
  void take(input::Fetched& in);
  void take(input::FetchFailed& in);
  void fetch_if_wanted(Tracked& name);
  void start_prefetch(Tracked& name, const Cid& cid);
  void offer_provisional(Tracked& name);
  bool content_ready(const Tracked& name) const;
  void failed(Tracked& name);
  void tell_why(Tracked& name, const Error& error);
  void note_missing(Tracked& name);

  // delivery.cpp
  void take(input::Committed& in);
  void take(input::Handled& in);
  void touch(Tracked& name, bool substance);
  void commit_if_dirty(Tracked& name);
  void deliver_if_due(Tracked& name);
  std::optional<Tracked::Delivering> due(const Tracked& name) const;
  void deliver(Tracked& name, Tracked::Delivering what);
  void revoke_if_late(Tracked& name);
  Change displaced_change(const Tracked& name, const LossReport& report) const;
  Change change_of(const Tracked& name, ChangeKind kind) const;
  Change expiry_change(const Tracked& name) const;
  void acknowledge(Tracked& name, const Tracked::Delivering& done);
  void reject(Tracked& name, const Tracked::Delivering& done, const Error& why);
  void try_again(Tracked& name, const Tracked::Delivering& done, const Handled& what);
  static bool ends_a_version(const Tracked& name, const Tracked::Delivering& done);
  static bool refused_latest(const Tracked& name);
  void take_in(Tracked& name, const Change& change);
  std::optional<Instant> held_until(const Tracked& name) const;

  // constant after construction
  const EngineOptions options_;
  const std::unordered_set<nostr::PublicKey> trusted_;
  WriterView* const writers_;

  std::unordered_map<IpnsName, std::unique_ptr<Tracked>> names_;
  std::set<std::pair<Instant, Tracked*>> timers_;
  std::set<IpnsName> to_follow_;  // from follow_at_ on
  std::optional<Instant> follow_at_;
  std::unordered_map<JobId, IpnsName> commits_;
  PollSchedule schedule_;
  Silence silence_;
  // During a silence.
  Instant ask_again_at_;
  Milliseconds silent_wait_;
  AuthorBook authors_;
  std::map<SourceId, Allowance> servers_;  // of the configuration
  Deduplicator deduplicator_;
  BoundedSet<nostr::EventId> sent_;
  std::map<nostr::Address, UnixSeconds> sent_until_;  // by this device
  std::string device_id_;
  bool new_device_id_asked_ = false;
  std::map<Row, uint64_t> counts_;
  Rng rng_;
  uint64_t last_job_ = 0;

  // during handle()
  Now now_;
  std::vector<Action> out_;
};

}  // namespace ipnscast::sync
