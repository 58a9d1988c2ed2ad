#include "ipnscast/sync/publish/publisher.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/publish/empty_content.h"
#include "ipnscast/sync/publish/private_places.h"
#include "ipnscast/sync/publish/progress.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/writer/renewal.h"

namespace ipnscast::sync {
namespace {

// All of it is on disk before anything is made of it.
Result<Packed> pack_into(BlockCache& cache, const std::filesystem::path& path,
                         const PackOptions& options) {
  BlockCache::Batch batch(cache);
  auto packed = pack_path(path, options, cache);
  if (!packed) return packed;
  if (auto kept = batch.commit(); !kept) return fail(kept.error());
  return packed;
}

}  // namespace

Publisher::Publisher(Parts parts, Options options, Notify notify)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      notify_(std::move(notify)),
      errands_(
          {parts_.writer, parts_.http, parts_.book, parts_.cache, parts_.records, parts_.contents},
          options_.errands,
          {[this] { return renewals_due(); },
           [this](const IpnsName& name) { return renew(name); }}) {}

Status Publisher::load() {
  std::vector<OwnName> own_names;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto marks = load_created_at(db);
    if (!marks) return fail(marks.error());
    auto names = load_own_names(db);
    if (!names) return fail(names.error());
    own_names = std::move(*names);
    std::lock_guard lock(marks_mutex_);
    for (const CreatedAtMark& mark : *marks) marks_.restore(mark.address, mark.mark);
    return {};
  });
  if (!read) return read;
  // A publish may have ended between its commit and this.
  for (const OwnName& own : own_names) {
    auto record = verify_record(own.name, own.record, system_now().wall);
    if (record) note_latest(own.name, std::move(*record));
    if (const auto root = root_of(own.value)) keep_version(own.name, *root);
  }
  return {};
}

Result<Outcome> Publisher::publish(const IpnsKey& key, const std::filesystem::path& path,
                                   const PublishOptions& options) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  const Instant start = std::chrono::steady_clock::now();
  const Instant deadline = start + options_.timeout;
  const PrivatePlaces own(options_.private_paths);
  if (auto allowed = own.check(path); !allowed) return fail(allowed.error());
  auto packed = pack_into(
      parts_.cache, path,
      {.profile = options_.profile,
       .skip_hidden = !options.hidden,
       .deadline = options.packed_by,
       .allow = [&own](FileId id, const auto& entry) { return own.check_entry(id, entry); }});
  if (!packed) return fail(packed.error());
  const BlockCache::Hold hold(parts_.cache, packed->root);
  Outcome outcome{key.name(), packed->root};
  outcome.hidden_left_out = packed->hidden;
  outcome.packed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const Errands::Guard guard = errands_.hold(packed->root);
  auto stored = send_content(key.name(), packed->root, Origin::packed, options, deadline, guard);
  if (!stored) return fail(stored.error());
  return publish_value(key, packed->root, options, *stored, std::move(outcome), deadline);
}

Result<Outcome> Publisher::publish_cid(const IpnsKey& key, const Cid& cid,
                                       const PublishOptions& options) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  const Instant deadline = std::chrono::steady_clock::now() + options_.timeout;
  const BlockCache::Hold hold(parts_.cache, cid);
  const Errands::Guard guard = errands_.hold(cid);
  auto stored = send_content(key.name(), cid, Origin::elsewhere, options, deadline, guard);
  if (!stored) return fail(stored.error());
  return publish_value(key, cid, options, *stored, Outcome{key.name(), cid}, deadline);
}

Status Publisher::check(const Current& known, const Cid& cid, const PublishOptions& options) const {
  const uint64_t at = known.sequence ? known.sequence->value : 0;
  if (options.expect_sequence && (!known.sequence || *options.expect_sequence != *known.sequence)) {
    return fail(Errc::conflict, known.sequence
                                    ? "the name is at sequence " + std::to_string(at) + ", not " +
                                          std::to_string(options.expect_sequence->value)
                                    : std::string("the name has no record yet"));
  }
  if (at >= kMaxSequence) return fail(Errc::invalid, "the name's sequence is used up (2^63 - 1)");
  const bool richer = known.sequence && !known.value.empty() && known.value != value_of(cid);
  if (richer && !options.force && is_empty_content(parts_.cache, cid)) {  // R12
    return fail(Errc::refused,
                "would replace " + known.value + " by nothing (--force if that is meant)");
  }
  return {};
}

// A place may turn out to have a newer record, which did not answer when it was asked: then ours is
// signed once more, above that one.
Result<Outcome> Publisher::publish_value(const IpnsKey& key, const Cid& cid,
                                         const PublishOptions& options, const Stored& stored,
                                         Outcome outcome, Instant deadline) {
  auto first = publish_once(key, cid, options, stored, outcome, deadline, std::nullopt);
  if (!first || options.expect_sequence) return first;
  std::optional<Sequence> newer;
  for (const Outcome::Place& place : first->places) {
    if (place.newer) newer = std::max(newer, std::optional(place.newer_sequence));
  }
  if (!newer) return first;
  log_info("publisher", "a place has sequence " + std::to_string(newer->value) +
                            " of the name already: signing above it");
  auto second = publish_once(key, cid, options, stored, std::move(outcome), deadline, newer);
  if (second) return second;
  log_warning("publisher", "not signed above it: " + second.error().message);
  return first;
}

Result<Outcome> Publisher::publish_once(const IpnsKey& key, const Cid& cid,
                                        const PublishOptions& options, const Stored& stored,
                                        Outcome outcome, Instant deadline,
                                        std::optional<Sequence> above) {
  const IpnsName name = key.name();
  Errands::Guard guard = errands_.hold(name);
  outcome.places = stored.places;
  outcome.queued = stored.queued;
  auto progress = std::make_shared<Progress>();
  std::vector<SignedHint> hints;
  std::optional<IpnsRecord> record;
  {
    std::lock_guard lock(publishing_);
    auto known = current(name, options);
    if (!known) return fail(known.error());
    known->sequence = std::max(known->sequence, above);
    if (auto allowed = check(*known, cid, options); !allowed) return fail(allowed.error());
    outcome.sequence = {known->sequence ? known->sequence->value + 1 : 1};
    const std::string value = "/ipfs/" + cid.to_string();
    auto made = create_record(
        key, {value, outcome.sequence, Eol::after(system_now().wall, options_.lifetime),
              options_.ttl, options_.v1, extra_data(root_of(known->value))});
    if (!made) return fail(made.error());
    record = std::move(*made);
    outcome.record = record->bytes();
    const OwnName own{name, outcome.sequence, value, known->version + 1, record->bytes()};
    auto signed_hints = sign_hints(
        {name, cid, outcome.sequence, record->bytes(), own.version, root_of(known->value)});
    if (!signed_hints) return fail(signed_hints.error());
    hints = std::move(*signed_hints);
    const Commitment all{own, cid, stored.lacking, hints, name};
    if (auto committed = commit(all); !committed) return fail(committed.error());
    keep_version(name, cid);
    note_latest(name, *record);
    parts_.resolver.invalidate(name);
    renew_at(name, renewal_time(record->fields().eol, options_.lifetime));
    notify_.published(name, outcome.sequence, value);
  }
  if (!hints.empty()) outcome.hint = hints.front().event.id;
  send_hints(hints, progress);
  send_record(name, *record, progress, std::move(guard));
  progress->wait(deadline, !above && !options.expect_sequence, options_.quorum, outcome);
  // Who was found out meanwhile to take no records is no place.
  std::erase_if(outcome.places, [this](const Outcome::Place& place) {
    const auto gateway = gateway_of(place.url);
    return place.what == Outcome::Place::What::record && gateway && !takes_records(*gateway);
  });
  return outcome;
}

Result<Outcome> Publisher::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                    std::optional<IpnsRecord> record) {
  if (!parts_.outbox || !parts_.signer)
    return fail(Errc::invalid, "announcing needs relays and a Nostr key");
  if (auto allowed = check_name(name); !allowed) return fail(allowed.error());
  const Instant deadline = std::chrono::steady_clock::now() + options_.timeout;
  Outcome outcome{name, cid, sequence};
  if (record) outcome.record = record->bytes();
  auto hints = sign_hints({name, cid, sequence, outcome.record, 0, std::nullopt});
  if (!hints) return fail(hints.error());
  if (auto committed = commit({.hints = *hints, .wanted = name}); !committed)
    return fail(committed.error());
  outcome.hint = hints->front().event.id;
  auto progress = std::make_shared<Progress>();
  send_hints(*hints, progress);
  progress->wait(deadline, false, options_.quorum, outcome);
  return outcome;
}

Status Publisher::commit(const Commitment& what) {
  const Status committed = parts_.writer.run([&](store::Database& db) -> Status {
    if (what.unless_retracted) {
      const auto retracted = is_retracted(db, *what.unless_retracted);
      if (!retracted) return fail(retracted.error());
      if (*retracted) return fail(Errc::refused, "it was retracted meanwhile");
    }
    if (what.wanted) {
      if (auto done = forget_retracted(db, *what.wanted); !done) return done;
    }
    if (what.own) {
      const IpnsName& name = what.own->name;
      if (auto saved = save_own_name(db, *what.own); !saved) return saved;
      for (const size_t gateway : record_takers()) {
        const OwedRecord owed{name, parts_.book.endpoint(gateway).url};
        if (auto noted = owe_record(db, owed); !noted) return noted;
      }
      if (what.root) {
        if (auto added = add_version(db, name, *what.root, options_.versions); !added) return added;
        for (const std::string& node : what.lacking) {
          if (auto noted = note_pin(db, {node, *what.root}); !noted) return noted;
        }
      }
    }
    for (const SignedHint& hint : what.hints) {
      if (auto saved = save_hint(db, hint); !saved) return saved;
    }
    return {};
  });
  if (!committed) {
    std::lock_guard lock(marks_mutex_);
    for (const SignedHint& hint : what.hints) {
      if (hint.time.wrong_mark) marks_.restore(hint.address, *hint.time.wrong_mark);
    }
    return committed;
  }
  for (const SignedHint& hint : what.hints) notify_.sent(hint.event.id);
  return {};
}

void Publisher::keep_version(const IpnsName& name, const Cid& root) {
  if (auto kept = parts_.cache.keep(name.to_string(), root); !kept)
    log_warning("publisher", "cannot note the version kept: " + kept.error().message);
}

}  // namespace ipnscast::sync
