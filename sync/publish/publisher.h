#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/base/workers.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/change/conflict.h"
#include "ipnscast/sync/hint/created_at.h"
#include "ipnscast/sync/hint/private_hint.h"
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/publish/errands.h"
#include "ipnscast/sync/publish/kept_content.h"
#include "ipnscast/sync/publish/outcome.h"
#include "ipnscast/sync/publish/record_sender.h"
#include "ipnscast/sync/publish/repair_limit.h"
#include "ipnscast/sync/resolve/resolve_report.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/sync/state/device_identity.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/writer/writer_book.h"

namespace ipnscast::sync {

// A remote signer says itself when it gives up.
constexpr Milliseconds kSignTimeout{45'000};

// Publishes under our own keys: content to the nodes, then a record whose sequence is committed
// together with the outbox row that announces it, then both to the world. Thread-safe; calls block.
// Everything it is given outlives it.
class Publisher {
 public:
  struct Parts {
    store::Writer& writer;
    gateway::Http& http;
    gateway::GatewayBook& book;
    Resolver& resolver;
    BlockCache& cache;
    RecordSender& records;
    ContentSender& contents;
    nostr::OutboxSender* outbox = nullptr;  // none: no relays are configured
    nostr::Pool* pool = nullptr;            // its relays, which are asked for our own hints
    std::shared_ptr<nostr::Signer> signer;  // none: no hints
    std::shared_ptr<const ClockWitness> witness;
  };
  struct Options {
    std::vector<nostr::RelayUrl> relays;
    std::vector<int> kinds;  // a hint of each
    std::string topic;
    bool private_hints = false;                         // hints are made private
    std::shared_ptr<const PrivateNames> private_names;  // null: there is no key to hide names with
    std::shared_ptr<DeviceIdentity> identity;
    PackProfile profile;
    std::chrono::nanoseconds lifetime{};
    std::chrono::nanoseconds ttl{};
    bool v1 = true;
    bool announcer = false;  // records name the signer's key and the relays
    bool previous = false;   // and the value before
    nostr::Quorum quorum;
    nostr::OutboxLimits outbox;
    ErrandBook::Options errands;
    Milliseconds timeout{10'000};
    Milliseconds answer_by{2'000};
    NameWriter::Options writer;
    std::string decider;                // see choose_decider()
    bool over_any = false;              // as PublishOptions::replace
    size_t versions = 5;                // kept on the nodes besides the current one
    size_t history = 1'000;             // versions of a name that the state file knows
    uint64_t kept = uint64_t{1} << 30;  // bytes, see KeptContent
    std::vector<std::filesystem::path> private_paths;  // that are never published
  };
  // Tells others what this device did. Any thread; must not block.
  struct Notify {
    std::function<void(const SentEvent&)> sent;
    std::function<void(const IpnsName&)> written;  // see WriterBook::Hooks::changed
    std::function<void()> cloned;                  // another device runs on a copy of this state
    // A publish was displaced, and a program is to say what becomes of it: see settle().
    std::function<void(const IpnsName&, const writer_action::AskResolution&)> conflict;
  };

  Publisher(Parts parts, Options options, Notify notify);

  // Reads the created_at marks and the names that were written before. Before anything else.
  Status load();
  // Begins to finish what earlier runs left undone.
  void start();
  // Before what it asks is closed. Does not wait.
  void begin_close() { errands_.begin_close(); }
  // Calls that wait end with Errc::closed. When the senders are closed. Idempotent.
  void close();

  // What followers have to know of the names that are written here.
  WriterView& written() { return writers_; }
  std::vector<IpnsName> written_names() { return writers_.names(); }
  // This device goes by another id from now on.
  void identity_changed();
  // The application has taken this version in.
  Status take_in(const IpnsName& name, const IpnsRecord& record);
  // Of a name that was written here: what was lost and not acknowledged.
  std::vector<LostPublish> lost(const IpnsName& name);
  Status acknowledge_lost(const IpnsName& name);

  // Whether somebody answers Notify::conflict of this name.
  void set_resolver(const IpnsName& name, bool there) { writers_.set_resolver(name, there); }
  // Carries out what a program has decided, or nothing: it could not, and is asked again later.
  // Errc::refused without the name's key.
  Status settle(const IpnsName& name, const writer_action::AskResolution& about,
                const std::optional<Resolution>& resolution, std::stop_token stop);

  Result<Outcome> publish(const IpnsKey& key, const std::filesystem::path& path,
                          const PublishOptions& options) {
    return publish_path(key, path, options, std::nullopt);
  }
  Result<Outcome> publish_cid(const IpnsKey& key, const Cid& cid, const PublishOptions& options) {
    return publish_root(key, cid, Origin::elsewhere, options, std::nullopt);
  }
  Result<Outcome> announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                           std::optional<IpnsRecord> record, bool trusts_clock,
                           std::optional<Instant> deadline);
  Result<Outcome> retract(const IpnsName& name, std::optional<Instant> deadline);

  // As Client::keep_alive().
  void keep_alive(const IpnsKey& key);
  // What gateways answered about any name: those that lag behind the latest record of a name of
  // ours get that, once a minute. Any thread; does not wait.
  void saw(const IpnsName& name, const ResolveReport& report);

  // From a verified event of our own key, this device's or another's.
  void learn(const nostr::Event& event);
  // A relay gave `newer` where it was sent `ours`. When that tells an older state, ours is signed
  // again above it. On the outbox thread; waits for the signer, ten seconds at most.
  void superseded(const nostr::Event& ours, const nostr::Event& newer);

 private:
  struct Announcement {
    IpnsName name;
    Cid cid;
    Sequence sequence;
    Bytes record;
    uint64_t version = 0;
    std::optional<Cid> parent;
  };
  // When the next hint at an address is created. Where the last one lies too far in the future
  // (the clock was wrong), that is now: the deletion of those goes before it.
  struct HintTime {
    UnixSeconds value;
    std::optional<UnixSeconds> wrong_mark{};  // that is forgotten
    UnixSeconds limit{};                      // what lies behind it is deleted
    std::optional<nostr::Event> deletion{};   // of what we know to lie there
  };
  struct SignedHint {
    nostr::Event event;
    nostr::Address address;
    HintTime time{};
  };
  class Progress;

  // What became of the content so far, and who still has to get it.
  struct Stored {
    std::vector<Outcome::Place> places;
    std::vector<std::string> lacking;  // URLs of nodes
    bool queued = false;               // nobody has it
    uint64_t bytes = 0;                // that went to one of them
  };
  // The answer to a conflict that a publish is, if it is one.
  using Answering = std::optional<writer_input::Resolved>;
  enum class Origin { packed, elsewhere };  // all of it is in our cache, or is said to be somewhere
  Result<Outcome> publish_path(const IpnsKey& key, const std::filesystem::path& path,
                               const PublishOptions& options, const Answering& answering);
  Result<Outcome> publish_root(const IpnsKey& key, const Cid& root, Origin origin,
                               const PublishOptions& options, const Answering& answering);
  Result<Outcome> publish_value(const IpnsKey& key, const Cid& cid, const PublishOptions& options,
                                const Stored& stored, const Answering& answering, Outcome outcome);
  writer_input::Publish publish_input(const IpnsName& name, const Cid& cid,
                                      const PublishOptions& options);
  std::optional<IpnsKey> key_of(const IpnsName& name);
  Status check_name(const IpnsName& name) const;
  nostr::Address address_of(int kind, const IpnsName& name) const;
  std::vector<nostr::Address> used_addresses(const IpnsName& name);
  Result<nostr::UnsignedEvent> make_event(const HintDraft& draft, const nostr::Address& address,
                                          UnixSeconds created_at);
  // Of a call that names none.
  Instant default_deadline() const { return std::chrono::steady_clock::now() + options_.timeout; }
  Result<Hint> read_own(const nostr::Event& event, Milliseconds timeout);
  Result<std::vector<SignedHint>> sign_hints(const Announcement& what, bool trusts_clock);
  // What is committed together: a record of ours with its version and what is owed for it, hints.
  struct Commitment {
    std::optional<std::pair<IpnsName, WriterState>> state{};
    bool brings = false;     // the state's owed record is to go to all places
    bool withdraws = false;  // what was owed before is to go nowhere any more
    std::optional<OwnName> own{};
    std::optional<Cid> root{};           // a new version
    std::vector<std::string> lacking{};  // nodes without it
    std::vector<SignedHint> hints{};
    std::optional<IpnsName> wanted{};            // the user announces it: it is not retracted now
    std::optional<IpnsName> unless_retracted{};  // Errc::refused when it was meanwhile
  };
  Status commit(const Commitment& what);
  Status save_state(store::Database& db, const Commitment& what);
  Status save_hint(store::Database& db, const SignedHint& hint) const;
  Result<HintTime> take_time(const nostr::Address& address, bool trusts_clock);
  Status sign_above(const IpnsName& name, const nostr::Event& ours, const nostr::Event& newer);
  // writing.cpp: a publish on its way through the name's writer
  struct Task;
  Status begin_writing(const IpnsKey& key);
  bool written_here_only(const IpnsName& name);
  void add_those_to_come(Outcome& outcome) const;
  std::shared_ptr<Task> task_of(PublishId id);
  Error refusal(Task& task, const writer_action::Answer& answer);
  void act(const IpnsName& name, WriterAction action);
  void answer(const writer_action::Answer& answer);
  // writer_work.cpp: what writers want done; on the threads publish-0, publish-1, ...
  struct Made;
  struct WriterWork;
  void work(WriterWork& next);
  void perform(const IpnsName& name, writer_action::Ask& action);
  void perform(const IpnsName& name, writer_action::Sign& action);
  void perform(const IpnsName& name, writer_action::Commit& action);
  void perform(const IpnsName& name, writer_action::Decide& action);
  void perform(const IpnsName& name, writer_action::AskDecider& action);
  void perform(const IpnsName& name, writer_action::Send& action);
  void perform(const IpnsName& name, writer_action::SendAgain& action);
  std::optional<size_t> decider() const;
  Status check_clock(const IpnsName& name);
  Status judge_mark(UnixSeconds mark) const;
  Result<IpnsRecord> sign_record(const IpnsName& name, const writer_action::Sign& action,
                                 const Task* task);
  Status commit_state(const IpnsName& name, const WriterState& state);
  Status add_what_is_new(Commitment& what, const WriterState& state,
                         const std::optional<Made>& made, const std::optional<Bytes>& saved);
  writer_input::Places places();
  void shows(const IpnsName& name, const IpnsRecord& record, const std::string& place);
  // `record`: what they announce, when it is to be noted who has it.
  void send_hints(const IpnsName& name, const std::optional<IpnsRecord>& record,
                  const std::vector<SignedHint>& hints, const std::shared_ptr<Progress>& progress);
  void send_record(const IpnsName& name, const IpnsRecord& record,
                   const std::shared_ptr<Progress>& progress, Errands::Guard guard);
  // known.cpp
  struct Asked {
    bool answered = false;  // somebody did, or there is nobody to ask
    bool all = false;       // every own node did
    std::string missing{};  // who did not, for people
  };
  Asked ask(const IpnsName& name);
  ResolveReport ask_everybody(const IpnsName& name);
  std::set<nostr::EventId> sent_events();
  Status check_own_nodes(const ResolveReport& report) const;
  void note_answers(const IpnsName& name, const ResolveReport& report);
  std::vector<nostr::Filter> own_hint_filters(const IpnsName& name) const;
  std::optional<IpnsRecord> own_hint_record(const IpnsName& name, const nostr::Event& event,
                                            Instant end);
  // records.cpp
  bool takes_records(size_t gateway) const;
  std::optional<size_t> gateway_of(const std::string& url) const;
  std::vector<size_t> record_takers() const;
  void note_place(const IpnsName& name, const IpnsRecord& record, const Outcome::Place& place);
  void note_latest(const IpnsName& name, IpnsRecord record);
  void repair(const IpnsName& name, const IpnsRecord& record, const std::vector<size_t>& lagging);
  // renewals.cpp
  std::vector<std::pair<IpnsName, UnixMillis>> renewals_due();
  Status renew(const IpnsName& name);
  void renew_at(const IpnsName& name, UnixMillis time);
  std::map<std::string, Bytes> extra_data(const std::optional<Cid>& previous) const;
  void keep_version(const IpnsName& name, const Cid& root);
  // content.cpp
  Result<Stored> send_content(const IpnsName& name, const Cid& root, Origin origin,
                              const PublishOptions& options, const Errands::Guard& guard);
  Result<Stored> nowhere(Stored out, const Cid& root, Origin origin, const PublishOptions& options,
                         Error why);
  std::optional<Outcome::Place> serving_place(const Cid& root);

  const Parts parts_;
  const Options options_;
  const Notify notify_;

  BoundedSet<nostr::EventId> retracted_{1024};  // outbox thread only

  std::mutex latest_mutex_;
  std::map<IpnsName, IpnsRecord> latest_;  // guarded by latest_mutex_; of names of ours
  RepairLimit repairs_;                    // guarded by latest_mutex_
  struct Kept {
    IpnsKey key;
    std::optional<UnixMillis> renew_at;  // nothing: it is not renewed
  };
  std::mutex kept_mutex_;
  std::map<IpnsName, Kept> kept_;  // guarded by kept_mutex_; keys of names that are written

  std::mutex tasks_mutex_;
  // guarded by tasks_mutex_
  bool closed_ = false;
  uint64_t last_publish_ = 0;
  std::map<PublishId, std::shared_ptr<Task>> tasks_;
  // Of each name: what was signed last, what goes to all places, and with which hints.
  struct Writing;
  std::map<IpnsName, std::shared_ptr<Writing>> writing_;
  std::shared_ptr<Writing> writing(const IpnsName& name);

  std::mutex marks_mutex_;
  CreatedAtAllocator marks_;  // guarded by marks_mutex_
  // Events of our key that lie further in the future than relays take. Guarded by marks_mutex_.
  std::map<nostr::Address, UnixSeconds> from_future_;

  struct WriterWork {
    IpnsName name;
    WriterAction action;
  };
  KeptContent kept_content_;
  Errands errands_;  // its thread uses the rest
  WriterBook writers_;
  Workers<WriterWork> workers_;  // last: they use all above
};

}  // namespace ipnscast::sync
