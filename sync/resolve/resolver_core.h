#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/gateway/record_source.h"
#include "ipnscast/sync/resolve/race.h"
#include "ipnscast/sync/resolve/record_cache.h"
#include "ipnscast/sync/resolve/resolve_report.h"

namespace ipnscast::sync {

struct ResolveOptions {
  std::optional<Sequence> floor;  // a hint of a trusted author says that it is at least there
  bool first_contact = false;     // nothing is known of the name: see RaceOptions
  bool fresh = false;             // ask, whatever the caches say
};

// What a resolution has to tell: records and "not yet" as they come, then `finished` once.
struct ResolveUpdate {
  enum class Kind {
    record,    // a verified record, better than all before in this resolution
    not_yet,   // answer_by has passed; report.best may hold one below the floor
    finished,  // nothing more comes
  };
  Kind kind = Kind::finished;
  bool late = false;       // a record after an earlier one or after "not yet"
  bool unchanged = false;  // finished poll: what we know is still current
  ResolveReport
      report;  // best: the best valid record so far; sources: what each answered up to now
  // The best of those that were sound but past their end of life.
  std::optional<IpnsRecord> expired;
  std::string best_url;  // who gave report.best; "cache" too
};
using OnResolve = std::function<void(const ResolveUpdate&)>;

using LookupId = StrongId<struct LookupTag>;

struct ResolverOptions {
  RaceOptions race;  // its floor and first_contact are set by each resolution
  RecordCache::Options cache;
  size_t lookups = 65'536;  // at a time; more finish at once with nothing
};

// The resolver without its thread: many races at once over the HTTP client, each answer verified,
// caches, polls. Takes answers and time; one thread at a time. The calls it makes come back through
// answered() and probed(), which whoever owns this arranges: `post` is called on the http thread
// and has to get the task run on the owner's.
class ResolverCore {
 public:
  using Post = std::function<void(std::function<void(ResolverCore&, Now)>)>;

  // `http` and `book` outlive this.
  ResolverCore(gateway::Http& http, gateway::GatewayBook& book, ResolverOptions options, Post post);

  // `id` is the caller's, never used twice. `on_update` runs inside these calls; it must not call
  // back.
  void resolve(LookupId id, const IpnsName& name, const ResolveOptions& options,
               OnResolve on_update, Now now);
  // A background poll: one source, conditionally; each name has a rotation of its own, so that a
  // source that is stuck hides a change for one poll at most. A race when nothing is known, when
  // that source fails or is quiet for a second, and every eighth time.
  void poll(LookupId id, const IpnsName& name, OnResolve on_update, Now now);
  // No update follows.
  void cancel(LookupId id);
  // Finishes it with what is known by now.
  void cut(LookupId id, Now now);
  // Finishes everything.
  void close();
  void tick(Now now);
  std::optional<Instant> next_tick() const;

  RecordCache& cache() { return cache_; }

 private:
  struct Source {
    size_t gateway = 0;
    gateway::RecordDialect dialect = gateway::RecordDialect::trustless;
    int tier = 1;
    enum class State { waiting, asked, done } state = State::waiting;
    gateway::HttpId call;
    Instant asked_at{};
    std::string answer = "not asked";
    std::optional<IpnsRecord> record;
    Milliseconds took{0};
    std::string refused{};  // why what it answered is no record of the name
    Instant not_before{};   // it asked for patience: to be asked (again) then
    int times_patient = 0;  // so often it has asked for that
    bool guessed = false;   // nobody knows whether the gateway speaks this dialect
    bool trouble = false;   // it was silent, or said that something is wrong with itself
  };
  struct Lookup {
    Lookup(LookupId lookup_id, IpnsName ipns_name) : id(lookup_id), name(std::move(ipns_name)) {}
    LookupId id;
    IpnsName name;
    ResolveOptions options;
    OnResolve on_update;
    std::vector<Source> sources;
    int round = 0;  // how often these were others; late answers are for those before
    bool poll = false;
    std::optional<Race> race;  // none: a poll of one source
    Instant race_begun{};
    std::optional<size_t> quiet;  // the gateway that did not answer that
    std::optional<Instant> timer;
    std::optional<IpnsRecord> best;
    std::string best_url;
    std::optional<IpnsRecord> expired;
    bool cut = false;
    std::vector<ResolveReport::Source> skipped;  // gateways that are not asked, and why
  };

  Lookup* add(LookupId id, const IpnsName& name, OnResolve on_update);
  void start_race(Lookup& lookup, Now now);
  void add_sources(Lookup& lookup, size_t gateway, Now now);
  bool start_poll(Lookup& lookup, uint32_t turn, Now now);
  std::vector<size_t> pollable(Now now);
  void ask_others(Lookup& lookup, Now now);
  void set_timer(Lookup& lookup, std::optional<Instant> next);
  void ask(Lookup& lookup, size_t source, Now now);
  // resolver_patience.cpp
  Instant race_end(const Lookup& lookup, int tier) const;
  void note_patience(Lookup& lookup, Source& source, Seconds retry_after, Now now);
  void ask_again(Now now);
  void answered(LookupId id, int round, size_t source, Result<gateway::HttpAnswer> answer, Now now);
  void probe(size_t gateway, Now now);
  void probe_all(Now now);
  // The verified record in an answer, noted in cache, book and report.
  std::optional<IpnsRecord> judge(Lookup& lookup, size_t source, Result<gateway::HttpAnswer> answer,
                                  Now now, bool& unchanged);
  void obey(LookupId id, const std::vector<RaceAction>& actions, Now now);
  void set_timer(Lookup& lookup);
  void give_back(const Lookup& lookup);
  void update(const Lookup& lookup, ResolveUpdate::Kind kind, bool late = false,
              bool unchanged = false) const;
  void finish(LookupId id, bool unchanged = false);
  ResolveReport report(const Lookup& lookup) const;

  // constant after construction
  gateway::Http& http_;
  gateway::GatewayBook& book_;
  const ResolverOptions options_;
  const Post post_;

  RecordCache cache_;
  std::map<LookupId, Lookup> lookups_;
  std::set<std::pair<Instant, LookupId>> timers_;
  std::set<std::tuple<Instant, LookupId, size_t>> patient_;  // sources that are asked then
  std::set<size_t> probing_;                                 // gateways
  std::map<size_t, Instant> probed_;
};

}  // namespace ipnscast::sync
