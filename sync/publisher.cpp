#include "sync/publisher.h"

#include <algorithm>

#include "nostr/base/log.h"
#include "nostr/outbox.h"
#include "sync/ipfs/packer.h"
#include "sync/publish_progress.h"
#include "sync/renewal.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kEmptyDirectory =
    "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
constexpr std::string_view kEmptyFile =
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

constexpr std::string_view kEmptyFileNode =  // as `ipfs add` makes it without raw leaves
    "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y";

bool is_empty_content(const Cid& cid) {
  const std::string text = cid.as_v1().to_string();
  return text == kEmptyDirectory || text == kEmptyFile || text == kEmptyFileNode ||
         text == "bafkqaaa";
}

// All of it is on disk before anything is made of it.
Result<Packed> pack_into(BlockCache& cache, const std::filesystem::path& path,
                         const PackProfile& profile) {
  BlockCache::Batch batch(cache);
  auto packed = pack_path(path, {.profile = profile}, cache);
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
  auto packed = pack_into(parts_.cache, path, options_.profile);
  if (!packed) return fail(packed.error());
  const BlockCache::Hold hold(parts_.cache, packed->root);
  Outcome outcome{key.name(), packed->root};
  outcome.packed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const Errands::Guard guard = errands_.hold(packed->root);
  auto stored = send_content(key.name(), packed->root, options, deadline, guard);
  if (!stored) return fail(stored.error());
  return publish_value(key, packed->root, options, std::move(*stored), std::move(outcome),
                       std::max(deadline, std::chrono::steady_clock::now() + Milliseconds(5'000)));
}

Result<Outcome> Publisher::publish_cid(const IpnsKey& key, const Cid& cid,
                                       const PublishOptions& options) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  const Errands::Guard guard = errands_.hold(cid);
  return publish_value(key, cid, options, {}, Outcome{key.name(), cid},
                       std::chrono::steady_clock::now() + options_.timeout);
}

// S0-12: the highest sequence that this device used, knows of, or can find out about.
Result<Publisher::Current> Publisher::current(const IpnsName& name, const PublishOptions& options) {
  Current out;
  bool own_state = false;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto own = load_own_name(db, name);
    if (!own) return fail(own.error());
    if (*own) {
      own_state = true;
      out = {(*own)->sequence, (*own)->value, (*own)->version};
    }
    auto row = load_name(db, name);
    if (!row) return fail(row.error());
    if (*row && (*row)->record && (!out.sequence || *out.sequence < (*row)->record->sequence)) {
      out.sequence = (*row)->record->sequence;
      out.value = (*row)->record->value;
    }
    return {};
  });
  if (!read) return fail(read.error());
  if (parts_.book.size() == 0) return out;

  ResolveOptions resolve;
  resolve.fresh = true;
  resolve.floor = out.sequence;
  auto report = parts_.resolver.resolve_now(name, resolve, options_.answer_by);
  const bool somebody_answered =
      report && std::any_of(report->sources.begin(), report->sources.end(), [](const auto& source) {
        return source.sequence.has_value() || source.answer == "not found";
      });
  if (!somebody_answered && options.expect_sequence && !options.force) {
    return fail(Errc::unreachable,
                "no node or router answered, so nobody can tell what the name has now (--force "
                "goes by what is known here)");
  }
  if (!somebody_answered && !own_state && !options.force) {
    return fail(Errc::unreachable,
                "no node or router answered, so the name's sequence is unknown (--force starts "
                "from what is known here)");
  }
  if (report && report->best) {
    const auto& best = report->best->fields();
    if (!out.sequence || *out.sequence < best.sequence) {
      out.sequence = best.sequence;
      out.value = best.value;
    }
  }
  return out;
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
  if (is_empty_content(cid) && richer && !options.force) {  // R12
    return fail(Errc::refused,
                "would replace " + known.value + " by nothing (--force if that is meant)");
  }
  return {};
}

Result<Outcome> Publisher::publish_value(const IpnsKey& key, const Cid& cid,
                                         const PublishOptions& options, Stored stored,
                                         Outcome outcome, Instant deadline) {
  const IpnsName name = key.name();
  Errands::Guard guard = errands_.hold(name);
  outcome.places = std::move(stored.places);
  auto progress = std::make_shared<Progress>();
  std::vector<SignedHint> hints;
  std::optional<IpnsRecord> record;
  {
    std::lock_guard lock(publishing_);
    auto known = current(name, options);
    if (!known) return fail(known.error());
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
    const Commitment all{own, cid, std::move(stored.lacking), hints};
    if (auto committed = commit(all); !committed) return fail(committed.error());
    keep_version(name, cid);
    note_latest(name, *record);
    parts_.resolver.invalidate(name);
    renew_at(name, renewal_time(record->fields().eol, options_.lifetime));
    notify_.published(name, outcome.sequence, value);
  }
  if (!hints.empty()) outcome.hint = hints.front().event.id;
  send_hints(hints, progress);
  progress->expect(1);
  send_record(name, *record, progress, std::move(guard));
  progress->wait(deadline, options_.quorum, outcome);
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
  if (auto committed = commit({.hints = *hints}); !committed) return fail(committed.error());
  outcome.hint = hints->front().event.id;
  auto progress = std::make_shared<Progress>();
  send_hints(*hints, progress);
  progress->wait(deadline, options_.quorum, outcome);
  return outcome;
}

Status Publisher::commit(const Commitment& what) {
  const Status committed = parts_.writer.run([&](store::Database& db) -> Status {
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
      const auto& event = hint.event;
      if (auto saved = save_created_at(db, hint.address, event.created_at); !saved) return saved;
      if (auto saved = save_sent(db, event.id, hint.address, event.created_at); !saved)
        return saved;
      if (auto added = nostr::outbox_add(db, event, options_.relays, options_.outbox); !added)
        return added;
    }
    return {};
  });
  if (!committed) return committed;
  for (const SignedHint& hint : what.hints) notify_.sent(hint.event.id);
  return {};
}

void Publisher::keep_version(const IpnsName& name, const Cid& root) {
  if (auto kept = parts_.cache.keep(name.to_string(), root); !kept)
    log_warning("publisher", "cannot note the version kept: " + kept.error().message);
}

bool Outcome::complete() const {
  return std::all_of(places.begin(), places.end(), [](const Place& p) { return p.ok; });
}

}  // namespace ipnscast::sync
