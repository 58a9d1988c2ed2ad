// The calls of the facade.
#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/engine/validated.h"
#include "ipnscast/sync/fetch/arriving_blocks.h"
#include "ipnscast/sync/fetch/fetch_end.h"
#include "ipnscast/sync/fetch/revocable.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/state/state_view.h"

namespace ipnscast::sync {
namespace {

std::string place_text(const Outcome::Place& place) {
  const bool relay = place.kind == Outcome::Place::Kind::relay;
  return (relay ? "relay " : "node ") + place.url + (place.ok ? "" : " (" + place.detail + ")");
}

// What took most of it: packing, bringing the content, telling of it, or what no place did.
std::string slowest_part(const Outcome& outcome, std::chrono::microseconds whole) {
  std::string slowest = "packing";
  std::chrono::microseconds longest = outcome.packed;
  std::chrono::microseconds rest = whole - outcome.packed;
  for (const bool content : {true, false}) {
    const Outcome::Place* last = nullptr;
    for (const Outcome::Place& place : outcome.places) {
      if ((place.what == Outcome::Place::What::content) != content) continue;
      if (last == nullptr || place.took > last->took) last = &place;
    }
    if (last == nullptr) continue;
    rest -= last->took;
    if (last->took <= longest) continue;
    longest = last->took;
    slowest = place_text(*last);
  }
  if (rest > longest) {
    longest = rest;
    slowest = "asking for the last sequence and signing";
  }
  return slowest + " took " + std::to_string(longest.count() / 1'000) + " ms of it";
}

}  // namespace

Result<Outcome> ClientImpl::timed_publish(const IpnsKey& key, const PublishOptions& options,
                                          const std::function<Result<Outcome>()>& publish) {
  const Instant start = std::chrono::steady_clock::now();
  auto outcome = publish();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  meter_.note(
      Operation::publish, outcome ? Status() : fail(outcome.error()), took,
      [&] { return slowest_part(*outcome, took); }, target_for(outcome ? outcome->bytes : 0));
  // Whoever published it has it.
  if (outcome && !options.for_followers)
    note_taken(key.name(), {outcome->sequence, value_of(outcome->cid)});
  return outcome;
}

Status ClientImpl::watch(const IpnsName& name, WatchOptions options) {
  if (options.on_change && options.pull)
    return fail(Errc::invalid, "on_change and pull exclude each other");
  const bool has_handler = options.pull || options.on_change;
  if (options.on_conflict && !has_handler)
    return fail(Errc::invalid,
                "on_conflict goes with on_change or pull, which get what was merged");
  std::optional<NameRow> stored;
  Status read = writer_->run([&](store::Database& db) -> Status {
    auto row = load_name(db, name);
    if (!row) return fail(row.error());
    stored = std::move(*row);
    return {};
  });
  if (!read) return read;
  const auto enter = [weak = weak_from_this()]() -> std::shared_ptr<void> {
    const auto client = weak.lock();
    return client ? client->handler_begins() : nullptr;
  };
  if (options.pull) {
    // Conflicts are asked about on the lanes all the same.
    const auto nothing = [](const Change&) {};
    sync_->handlers().set_handler(name, {nothing, enter});
    sync_->pulled().add(name, options.validate
                                  ? validated(std::move(options.validate), nothing, *cache_)
                                  : OnChange());
  } else if (has_handler) {
    sync_->handlers().set_handler(
        name,
        {validated(std::move(options.validate), std::move(options.on_change), *cache_), enter});
  }
  set_conflict_handler(name, std::move(options.on_conflict));
  sync_->tell(input::Watch{name, options.fetch_content, has_handler, std::move(stored),
                           options.takes_in, options.pull, options.every_version});
  return {};
}

void ClientImpl::unwatch(const IpnsName& name) {
  set_conflict_handler(name, nullptr);
  sync_->handlers().remove_handler(name);
  sync_->pulled().remove(name);
  sync_->tell(input::Unwatch{name});
}

Result<TakenChange> ClientImpl::next_change(std::stop_token stop, std::optional<Instant> deadline) {
  auto taken = sync_->pulled().next(stop, deadline);
  if (!taken) return fail(taken.error());
  return TakenChange{taken->id, std::move(taken->change)};
}

Status ClientImpl::acknowledge(uint64_t id, const Handled& handled) {
  return sync_->pulled().acknowledge(id, handled);
}

Result<Outcome> ClientImpl::publish(const IpnsKey& key, const std::filesystem::path& path,
                                    const PublishOptions& options) {
  return timed_publish(key, options, [&] { return publisher_->publish(key, path, options); });
}

Result<Outcome> ClientImpl::publish_cid(const IpnsKey& key, const Cid& cid,
                                        const PublishOptions& options) {
  return timed_publish(key, options, [&] { return publisher_->publish_cid(key, cid, options); });
}

Result<Outcome> ClientImpl::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                     std::optional<IpnsRecord> record, std::stop_token stop,
                                     bool trust_clock, std::optional<Instant> deadline) {
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
  return publisher_->announce(name, cid, sequence, std::move(record), trust_clock, deadline);
}

Result<Outcome> ClientImpl::retract(const IpnsName& name, std::stop_token stop,
                                    std::optional<Instant> deadline) {
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
  return publisher_->retract(name, deadline);
}

Status ClientImpl::keep_alive(const IpnsKey& key) {
  publisher_->keep_alive(key);
  return {};
}

Status ClientImpl::take_in(const IpnsName& name, const IpnsRecord& record) {
  const Status done = publisher_->take_in(name, record);
  if (done) note_taken(name, {record.fields().sequence, record.fields().value});
  return done;
}

std::vector<LostPublish> ClientImpl::lost(const IpnsName& name) { return publisher_->lost(name); }

Status ClientImpl::acknowledge_lost(const IpnsName& name) {
  return publisher_->acknowledge_lost(name);
}

void ClientImpl::invalidate(const IpnsName& name) { resolver_->invalidate(name); }

Result<ResolveReport> ClientImpl::resolve(const IpnsName& name, Milliseconds deadline,
                                          Freshness freshness, std::stop_token stop) {
  ResolveOptions options;
  options.first_contact = true;
  options.fresh = freshness == Freshness::ask;
  auto report = resolver_->resolve_now(name, options, deadline, std::move(stop));
  if (!report) return report;
  publisher_->saw(name, *report);
  const auto known = known_record_of(name);
  if (!known) return fail(known.error());
  if (*known) add_known(*report, **known, system_now().wall);
  compare_answers(*report);
  return report;
}

Result<std::optional<IpnsRecord>> ClientImpl::known_record_of(const IpnsName& name) {
  std::optional<IpnsRecord> known;
  // Of a name that is written here, what counts may not be in the file yet.
  const auto truth = publisher_->written().truth(name);
  if (truth) known = sound_record(name, truth->record.bytes);
  const Status read = known ? Status() : writer_->run([&](store::Database& db) -> Status {
    auto found = load_known(db, name);
    if (!found) return fail(found.error());
    known = std::move(*found);
    return {};
  });
  if (!read) return fail(read.error());
  if (config_.known_dir.empty()) return known;
  auto elsewhere = read_known(config_.known_dir, name);
  if (!elsewhere) {
    log_warning("client", "what is known of names cannot be read: " + elsewhere.error().message);
    return known;
  }
  if (*elsewhere && (!known || better(**elsewhere, *known))) known = std::move(*elsewhere);
  return known;
}

Status ClientImpl::get(const Cid& cid, std::string_view path, const std::filesystem::path& target,
                       const GetOptions& options) {
  DagLimits limits{.max_bytes = config_.fetch_max_bytes,
                   .deadline = std::chrono::steady_clock::now() + options.deadline};
  limits.stopped = [&] { return options.stop.stop_requested(); };
  const BlockCache::Hold hold(*cache_, cid);
  auto arriving = std::make_shared<ArrivingBlocks>(*cache_);
  FetchOptions fetch;
  fetch.shares = cache_->stats().bytes > 0;
  fetch.max_bytes = config_.fetch_max_bytes;
  fetch.stall = config_.fetch_stall;
  fetch.deadline = options.deadline;
  fetch.scope.path = std::string(path);
  if (options.bytes || options.file_only) fetch.scope.part = DagPart::entity;
  fetch.scope.bytes = options.bytes;
  // A fetch that was cancelled may go on for a moment, when nobody listens any more.
  const Revocable<const GetProgress&> progress(options.on_progress);
  if (auto tell = progress.handle()) {
    fetch.on_progress = [tell = std::move(tell)](const FetchProgress& now) {
      tell({now.bytes, now.blocks, now.waiting});
    };
  }
  fetch.on_block = [arriving](std::string_view key) { arriving->arrived(key); };
  const auto end = std::make_shared<FetchEnd>();
  const FetchId id = fetcher_->fetch(cid, fetch, [arriving, end](Result<FetchReport> fetched) {
    end->come(fetched ? Status{} : fail(fetched.error()));
    arriving->end();
  });
  const std::stop_callback on_stop(options.stop, [this, id, arriving, end] {
    fetcher_->cancel(id);
    end->come(fail(Errc::cancelled, "stopped"));
    arriving->end();
  });
  // Written while it comes.
  const auto written = [&]() -> Status {
    DagBudget way(limits);
    const auto at = resolve_path(way, *arriving, cid, path);
    if (!at) return fail(at.error());
    const auto unpacked = unpack(*arriving, *at, target,
                                 {.symlinks = options.symlinks,
                                  .bytes = options.bytes,
                                  .file_only = options.file_only,
                                  .metadata = options.metadata,
                                  .limits = limits});
    return unpacked ? Status{} : fail(unpacked.error());
  }();
  // What is missing, is so because of how the fetch ended. When all is written, what documents link
  // to is all that could still come.
  if (written || written.error().code != Errc::not_found) fetcher_->cancel(id);
  const Status fetched = end->wait();
  const bool missing = !written && written.error().code == Errc::not_found;
  return missing && !fetched ? fetched : written;
}

std::vector<NameStatus> ClientImpl::status() {
  std::vector<NameStatus> out;
  const Status read = writer_->run([&](store::Database& db) -> Status {
    auto rows = load_watched(db);
    if (!rows) return fail(rows.error());
    for (const NameRow& row : *rows) {
      if (auto status = name_status(row)) out.push_back(std::move(*status));
    }
    return {};
  });
  if (!read) log_error("client", read.error().message);
  return out;
}

std::vector<GatewayStatus> ClientImpl::gateways() {
  std::vector<GatewayStatus> out;
  std::vector<gateway::GatewayMemory> known = book_->memories(system_now());
  const Status read = writer_->run([&](store::Database& db) -> Status {
    auto rows = load_gateways(db);
    if (!rows) return fail(rows.error());
    for (gateway::GatewayMemory& row : *rows) {
      const bool live = std::any_of(known.begin(), known.end(),
                                    [&](const auto& one) { return one.url == row.url; });
      if (!live) known.push_back(std::move(row));
    }
    return {};
  });
  if (!read) log_error("client", read.error().message);
  for (const gateway::GatewayMemory& one : known) out.push_back(gateway_status(one));
  return out;
}

Status ClientImpl::forget(const IpnsName& name) {
  bool known = false;
  Status erased = writer_->run([&](store::Database& db) -> Status {
    auto row = load_name(db, name);
    if (!row) return fail(row.error());
    if (!*row) return {};
    known = true;
    NameRow empty{name};
    empty.watched = (*row)->watched;
    empty.fetch_content = (*row)->fetch_content;
    empty.heard = empty.passed = (*row)->heard;
    return save_names(db, {empty});
  });
  if (!erased) return erased;
  if (!known) return fail(Errc::not_found, "nothing is known of " + name.to_string());
  sync_->tell(input::Forget{name});
  return {};
}

}  // namespace ipnscast::sync
