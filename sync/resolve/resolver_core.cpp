#include "ipnscast/sync/resolve/resolver_core.h"

#include <algorithm>

namespace ipnscast::sync {
namespace {

using gateway::RecordDialect;

constexpr Milliseconds kProbeAgain{600'000};
constexpr Milliseconds kProbeSoon{30'000};  // when nothing was found

// A source's number in the cache.
size_t cache_key(size_t gateway, RecordDialect dialect) {
  return gateway * 4 + static_cast<size_t>(dialect);
}

Milliseconds since(Instant start, Now now) {
  return std::chrono::duration_cast<Milliseconds>(now.steady - start);
}

Standing standing_of(const IpnsRecord& record) {
  return {record.fields().sequence, record.fields().eol, record.data()};
}

}  // namespace

ResolverCore::ResolverCore(gateway::Http& http, gateway::GatewayBook& book, ResolverOptions options,
                           Post post)
    : http_(http), book_(book), options_(options), post_(std::move(post)), cache_(options.cache) {}

void ResolverCore::resolve(LookupId id, const IpnsName& name, const ResolveOptions& options,
                           OnResolve on_update, Now now) {
  Lookup* lookup = add(id, name, std::move(on_update));
  if (lookup == nullptr) return;
  lookup->options = options;
  if (!options.fresh) {
    const IpnsRecord* cached = cache_.fresh(name, now);
    if (cached != nullptr && (!options.floor || cached->fields().sequence >= *options.floor)) {
      lookup->best = *cached;
      lookup->best_url = "cache";
      lookup->skipped.push_back(
          {"cache", "record", cached->fields().sequence, cached->fields().value, {}});
      update(*lookup, ResolveUpdate::Kind::record);
      return finish(id);
    }
  }
  start_race(*lookup, now);
}

void ResolverCore::cancel(LookupId id) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return;
  Lookup& lookup = it->second;
  for (const Source& source : lookup.sources) {
    if (source.state != Source::State::asked) continue;
    http_.cancel(source.call);
    book_.report(source.gateway, fail(Errc::cancelled, ""), source.asked_at);
  }
  give_back(lookup);
  if (lookup.timer) timers_.erase({*lookup.timer, id});
  lookups_.erase(it);
}

void ResolverCore::cut(LookupId id, Now now) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return;
  for (Source& source : it->second.sources) {
    it->second.cut |= source.state != Source::State::done;
    if (source.state != Source::State::asked) continue;
    source.state = Source::State::done;
    source.took = since(source.asked_at, now);
    http_.cancel(source.call);
    book_.report(source.gateway, fail(Errc::cancelled, ""), now.steady);
  }
  finish(id);
}

// Whoever was let through by a half-open breaker and never asked must make room for the next.
void ResolverCore::give_back(const Lookup& lookup) {
  for (const Source& source : lookup.sources) {
    if (source.state == Source::State::waiting)
      book_.report(source.gateway, fail(Errc::cancelled, ""), source.asked_at);
  }
}

void ResolverCore::close() {
  while (!lookups_.empty()) {
    Lookup& lookup = lookups_.begin()->second;
    for (const Source& source : lookup.sources) {
      if (source.state == Source::State::asked) http_.cancel(source.call);
    }
    finish(lookup.id);
  }
}

void ResolverCore::tick(Now now) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    const LookupId id = timers_.begin()->second;
    Lookup& lookup = lookups_.at(id);
    timers_.erase(timers_.begin());
    lookup.timer.reset();
    if (!lookup.race)
      ask_others(lookup, now);
    else
      obey(id, lookup.race->tick(now.steady), now);
  }
  ask_again(now);
}

ResolverCore::Lookup* ResolverCore::add(LookupId id, const IpnsName& name, OnResolve on_update) {
  if (lookups_.size() >= options_.lookups) {
    on_update({});
    return nullptr;
  }
  Lookup& lookup = lookups_.try_emplace(id, id, name).first->second;
  lookup.on_update = std::move(on_update);
  return &lookup;
}

void ResolverCore::start_race(Lookup& lookup, Now now) {
  lookup.sources.clear();
  ++lookup.round;
  for (size_t gateway = 0; gateway < book_.size(); ++gateway) add_sources(lookup, gateway, now);
  std::vector<int> tiers;
  for (const Source& source : lookup.sources) tiers.push_back(source.tier);
  RaceOptions options = options_.race;
  options.floor = lookup.options.floor;
  options.first_contact = lookup.options.first_contact;
  lookup.race_begun = now.steady;
  // The next poll asks again, so nobody is spared for later.
  if (lookup.poll) options.hedge = Milliseconds(0);
  lookup.race.emplace(tiers, options, now.steady);
  obey(lookup.id, lookup.race->begin(), now);
}

void ResolverCore::add_sources(Lookup& lookup, size_t gateway, Now now) {
  if (!book_.uses(gateway).records) return;
  const std::string& url = book_.endpoint(gateway).url;
  if (lookup.quiet == gateway) {
    lookup.skipped.push_back({url, "no answer", {}, {}, {}});
    return;
  }
  const auto known = book_.dialects(gateway);
  const gateway::Dialects dialects = known.value_or(gateway::Dialects{true, true, true, true});
  std::vector<RecordDialect> wanted;
  if (dialects.trustless) wanted.push_back(RecordDialect::trustless);
  if (dialects.routing) wanted.push_back(RecordDialect::routing);
  if (dialects.rpc) wanted.push_back(RecordDialect::rpc_name);
  if (!lookup.options.fresh && !lookup.options.floor) {
    std::erase_if(wanted, [&](RecordDialect dialect) {
      return cache_.missing(lookup.name, cache_key(gateway, dialect), now);
    });
    if (wanted.empty()) {
      lookup.skipped.push_back({url, "not found", {}, {}, {}});
      return;
    }
  }
  if (!book_.admit(gateway, now.steady)) {
    lookup.skipped.push_back({url, "error: left alone for a while after failures", {}, {}, {}});
    return;
  }
  for (const RecordDialect dialect : wanted) {
    Source source;
    source.gateway = gateway;
    source.dialect = dialect;
    source.tier = book_.tier(gateway);
    source.guessed = !known;
    lookup.sources.push_back(std::move(source));
  }
}

void ResolverCore::ask(Lookup& lookup, size_t index, Now now) {
  Source& source = lookup.sources[index];
  source.state = Source::State::asked;
  source.asked_at = now.steady;
  source.answer = "no answer";
  if (source.not_before > now.steady) {
    patient_.insert({source.not_before, lookup.id, index});
    return;
  }
  const std::string etag =
      lookup.race ? std::string()
                  : cache_.etag(lookup.name, cache_key(source.gateway, source.dialect));
  gateway::HttpCall call =
      record_call(source.dialect, book_.endpoint(source.gateway), lookup.name, etag);
  // The race stops whoever it does not wait for; these are for polls, and a second guard.
  call.deadline = source.tier >= 3 ? options_.race.slow_listen : options_.race.listen;
  call.stall = Milliseconds(0);
  source.call =
      http_.start_whole(std::move(call), [post = post_, id = lookup.id, round = lookup.round,
                                          index](Result<gateway::HttpAnswer> answer) {
        auto held = std::make_shared<Result<gateway::HttpAnswer>>(std::move(answer));
        post([id, round, index, held](ResolverCore& core, Now then) {
          core.answered(id, round, index, std::move(*held), then);
        });
      });
}

void ResolverCore::answered(LookupId id, int round, size_t index,
                            Result<gateway::HttpAnswer> answer, Now now) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end() || it->second.round != round) return;
  if (index >= it->second.sources.size()) return;
  Lookup& lookup = it->second;
  Source& source = lookup.sources[index];
  if (source.state != Source::State::asked) return;
  source.state = Source::State::done;
  bool unchanged = false;
  source.record = judge(lookup, index, std::move(answer), now, unchanged);
  if (source.state == Source::State::asked) return;  // asked again with another dialect
  if (!source.record && source.not_before > now.steady) return ask(lookup, index, now);
  if (lookup.race) {
    std::optional<Standing> standing;
    if (source.record) standing = standing_of(*source.record);
    return obey(id, lookup.race->answer(index, std::move(standing), now.steady), now);
  }
  if (source.record) {
    update(lookup, ResolveUpdate::Kind::record);
    finish(id);
  } else if (unchanged) {
    finish(id, true);
  } else {
    start_race(lookup, now);
  }
}

std::optional<IpnsRecord> ResolverCore::judge(Lookup& lookup, size_t index,
                                              Result<gateway::HttpAnswer> answer, Now now,
                                              bool& unchanged) {
  Source& source = lookup.sources[index];
  source.took = since(source.asked_at, now);
  const auto failed = [&](const Error& error,
                          Seconds retry_after = Seconds(0)) -> std::optional<IpnsRecord> {
    book_.report(source.gateway, fail(error), now.steady, retry_after);
    if (error.code == Errc::busy) note_patience(lookup, source, retry_after, now);
    source.answer = error.code == Errc::not_found ? "not found" : "error: " + error.message;
    return std::nullopt;
  };
  const int status = answer ? answer->head.status : 0;
  source.trouble = !answer || (status >= 500 && status != 501);
  if (!answer) return failed(answer.error());
  book_.note_connected(source.gateway, answer->timings.connected);
  const Seconds retry_after = answer->head.retry_after;
  auto read = read_record(source.dialect, std::move(*answer));
  if (!read) {
    const Errc code = read.error().code;
    if (code == Errc::unsupported && source.dialect == RecordDialect::rpc_name) {
      source.dialect = RecordDialect::rpc_routing;
      ask(lookup, index, now);
      return std::nullopt;
    }
    if (code == Errc::not_found || code == Errc::unsupported) {
      cache_.note_missing(lookup.name, cache_key(source.gateway, source.dialect), now);
    }
    return failed(read.error(), retry_after);
  }
  book_.note_latency(source.gateway, source.took);
  const size_t key = cache_key(source.gateway, source.dialect);
  if (read->not_modified) {
    book_.report(source.gateway, {}, now.steady);
    cache_.renew(lookup.name, now);
    source.answer = "unchanged";
    unchanged = true;
    return std::nullopt;
  }
  auto record = verify_record(lookup.name, read->record, now.wall);
  if (!record) {
    RecordError& error = record.error();
    if (error.expired_record) {
      book_.report(source.gateway, {}, now.steady);
      source.answer = "expired record";
      if (!lookup.expired || better(*error.expired_record, *lookup.expired)) {
        lookup.expired = std::move(error.expired_record);
      }
      return std::nullopt;
    }
    const std::string words = std::string(to_string(error.fault)) + ": " + error.message;
    source.refused = words;
    if (error.fault != RecordFault::signature && error.fault != RecordFault::key)
      return failed({Errc::mismatch, words});
    // Whoever passes on records sees as we do that this one is forged.
    book_.report_lie(source.gateway, now.steady);
    source.answer = "error: " + words;
    return std::nullopt;
  }
  book_.report(source.gateway, {}, now.steady);
  // "Not modified" shall always speak of the best record that is known.
  cache_.note_etag(lookup.name, key,
                   cache_.put(lookup.name, *record, now) ? read->etag : std::string());
  source.answer = "record";
  if (!lookup.best || better(*record, *lookup.best)) {
    lookup.best = *record;
    lookup.best_url = book_.endpoint(source.gateway).url;
  }
  return std::move(*record);
}

// At first use and now and then, but never beside a race that somebody waits for.
void ResolverCore::probe(size_t gateway, Now now) {
  if (book_.left_alone(gateway, now.steady) || probing_.count(gateway) != 0) return;
  const auto last = probed_.find(gateway);
  if (last != probed_.end() &&
      now.steady < last->second + (book_.dialects(gateway) ? kProbeAgain : kProbeSoon)) {
    return;
  }
  probing_.insert(gateway);
  probed_[gateway] = now.steady;
  probe_gateway(http_, book_.endpoint(gateway),
                [post = post_, gateway](gateway::ProbeReport found) {
                  post([gateway, found = std::move(found)](ResolverCore& core, Now) {
                    core.probing_.erase(gateway);
                    if (found.dialects.any()) core.book_.set_dialects(gateway, found.dialects);
                  });
                });
}

void ResolverCore::probe_all(Now now) {
  for (size_t gateway = 0; gateway < book_.size(); ++gateway) probe(gateway, now);
}

void ResolverCore::obey(LookupId id, const std::vector<RaceAction>& actions, Now now) {
  Lookup& lookup = lookups_.at(id);
  for (const RaceAction& action : actions) {
    if (const auto* wanted = std::get_if<Ask>(&action)) {
      ask(lookup, wanted->source, now);
    } else if (const auto* stop = std::get_if<Stop>(&action)) {
      Source& source = lookup.sources[stop->source];
      if (source.state != Source::State::asked) continue;
      source.state = Source::State::done;
      source.took = since(source.asked_at, now);
      source.trouble = true;
      http_.cancel(source.call);
      book_.report(source.gateway, fail(Errc::timeout, ""), now.steady);
    } else if (const auto* result = std::get_if<RaceResult>(&action)) {
      update(lookup, ResolveUpdate::Kind::record, result->late);
      // What is better and slower comes with a later poll, which waits for the end of this one.
      if (lookup.poll && !lookup.options.first_contact) return cut(id, now);
    } else if (std::holds_alternative<NotYet>(action)) {
      update(lookup, ResolveUpdate::Kind::not_yet);
      probe_all(now);
    } else {
      probe_all(now);
      return finish(id);
    }
  }
  set_timer(lookup);
}

void ResolverCore::set_timer(Lookup& lookup) {
  set_timer(lookup, lookup.race ? lookup.race->next_tick() : std::nullopt);
}

void ResolverCore::set_timer(Lookup& lookup, std::optional<Instant> next) {
  if (next == lookup.timer) return;
  if (lookup.timer) timers_.erase({*lookup.timer, lookup.id});
  lookup.timer = next;
  if (next) timers_.insert({*next, lookup.id});
}

void ResolverCore::update(const Lookup& lookup, ResolveUpdate::Kind kind, bool late,
                          bool unchanged) const {
  lookup.on_update({kind, late, unchanged, report(lookup), lookup.expired, lookup.best_url});
}

void ResolverCore::finish(LookupId id, bool unchanged) {
  const auto it = lookups_.find(id);
  if (it->second.timer) timers_.erase({*it->second.timer, id});
  const Lookup ended = std::move(it->second);
  lookups_.erase(it);
  give_back(ended);
  update(ended, ResolveUpdate::Kind::finished, false, unchanged);
}

}  // namespace ipnscast::sync
