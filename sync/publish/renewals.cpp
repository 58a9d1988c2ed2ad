// The publisher's records before their end of life.
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/publish/progress.h"
#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/writer/renewal.h"

namespace ipnscast::sync {
namespace {

constexpr int64_t kRecordLookAgain = 3'600'000;  // ms, for a name that has no record yet

UnixMillis in_an_hour() { return {system_now().wall.value + kRecordLookAgain}; }

}  // namespace

std::map<std::string, Bytes> Publisher::extra_data(const std::optional<Cid>& previous) const {
  std::map<std::string, Bytes> out;
  if (options_.announcer && parts_.signer) {
    out.emplace(kAnnouncerKey, encode_announcer({parts_.signer->public_key(), options_.relays}));
  }
  if (options_.previous && previous) out.emplace(kPreviousKey, encode_previous(*previous));
  return out;
}

void Publisher::keep_alive(const IpnsKey& key) {
  const IpnsName name = key.name();
  UnixMillis first = system_now().wall;
  {
    std::lock_guard lock(latest_mutex_);
    const auto it = latest_.find(name);
    if (it != latest_.end()) first = renewal_time(it->second.fields().eol, options_.lifetime);
  }
  {
    std::lock_guard lock(kept_mutex_);
    kept_.insert_or_assign(name, Kept{key.clone(), first});
  }
  errands_.wake();
}

std::vector<std::pair<IpnsName, UnixMillis>> Publisher::renewals_due() {
  std::lock_guard lock(kept_mutex_);
  std::vector<std::pair<IpnsName, UnixMillis>> out;
  for (const auto& [name, kept] : kept_) out.emplace_back(name, kept.renew_at);
  return out;
}

void Publisher::renew_at(const IpnsName& name, UnixMillis time) {
  std::lock_guard lock(kept_mutex_);
  const auto it = kept_.find(name);
  if (it != kept_.end()) it->second.renew_at = time;
}

// Of all that this device, and whoever answers, knows of the name.
Result<Publisher::Newest> Publisher::newest(const IpnsName& name) {
  Newest out;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto known = load_known(db, name);
    if (!known) return fail(known.error());
    out.record = std::move(*known);
    return {};
  });
  if (!read) return fail(read.error());
  out.known_here = out.record.has_value();
  out.answered = parts_.book.size() == 0;
  if (out.answered) return out;
  const ResolveReport report = ask_everybody(name);
  for (const auto& source : report.sources)
    out.answered |= source.answer == "record" || source.answer == "not found" ||
                    source.answer == "expired record";
  take_better(out.record, report.best);
  take_better(out.record, report.expired);
  return out;
}

Status Publisher::renew(const IpnsName& name) {
  std::optional<IpnsKey> key;
  {
    std::lock_guard lock(kept_mutex_);
    const auto it = kept_.find(name);
    if (it == kept_.end()) return {};
    key = it->second.key.clone();
  }
  const auto progress = std::make_shared<Progress>();
  std::optional<IpnsRecord> record;
  std::vector<SignedHint> hints;
  {
    std::lock_guard lock(publishing_);
    auto known = newest(name);
    if (!known) return fail(known.error());
    if (!known->answered) return fail(Errc::unreachable, "no node or router answered");
    const UnixMillis now = system_now().wall;
    // One that only somebody else remembers, and that is over, may have been replaced long ago.
    if (!known->record || (known->record->expired(now) && !known->known_here)) {
      renew_at(name, in_an_hour());
      return {};
    }
    const IpnsRecord& old = *known->record;
    const UnixMillis due = renewal_time(old.fields().eol, options_.lifetime);
    if (now < due) {
      note_latest(name, old);
      renew_at(name, due);
      return {};
    }
    auto made =
        create_record(*key, renewed(old, options_.lifetime, options_.ttl, options_.v1, now));
    if (!made) return fail(made.error());
    record = std::move(*made);
    OwnName own{name, record->fields().sequence, record->fields().value, 0, record->bytes()};
    bool retracted = false;
    const Status read = parts_.writer.run([&](store::Database& db) -> Status {
      auto before = load_own_name(db, name);
      if (!before) return fail(before.error());
      if (*before) own.version = (*before)->version;
      const auto found = is_retracted(db, name);
      if (!found) return fail(found.error());
      retracted = *found;
      return {};
    });
    if (!read) return read;
    const auto cid = root_of(own.value);
    if (cid && !retracted) {
      auto signed_hints = sign_hints({name, *cid, own.sequence, own.record, own.version, {}});
      if (!signed_hints) return fail(signed_hints.error());
      hints = std::move(*signed_hints);
    }
    if (auto committed = commit({.own = own, .hints = hints}); !committed) return committed;
    note_latest(name, *record);
    renew_at(name, renewal_time(record->fields().eol, options_.lifetime));
  }
  log_info("publisher", "renewed the record of " + name.to_string() + ", valid until " +
                            record->fields().eol.to_string());
  if (!hints.empty()) send_hints(hints, progress);
  send_record(name, *record, progress, errands_.hold(name));
  return {};
}

}  // namespace ipnscast::sync
