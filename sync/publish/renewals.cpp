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
constexpr int64_t kRenewalTries = 60'000;        // ms, until it is tried again

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
  if (auto ready = begin_writing(key); !ready) {
    log_error("publisher", "not kept alive: " + ready.error().message);
    return;
  }
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
  for (const auto& [name, kept] : kept_) {
    if (kept.renew_at) out.emplace_back(name, *kept.renew_at);
  }
  return out;
}

void Publisher::renew_at(const IpnsName& name, UnixMillis time) {
  std::lock_guard lock(kept_mutex_);
  const auto it = kept_.find(name);
  if (it != kept_.end() && it->second.renew_at) it->second.renew_at = time;
}

// The writer asks everybody and signs, unless somebody else did so meanwhile; when it does, the
// commit says when the next one is due.
Status Publisher::renew(const IpnsName& name) {
  auto state = writers_.state(name);
  const bool known_here = state && state->known;
  if (!known_here) {
    const ResolveReport report = ask_everybody(name);
    if (!report.anybody_told() && parts_.book.size() > 0)
      return fail(Errc::unreachable, "no node or router answered");
    // One that only somebody else remembers, and that is over, may have been replaced long ago.
    if (!report.best) {
      renew_at(name, in_an_hour());
      return {};
    }
    note_answers(name, report);
    state = writers_.state(name);
  }
  if (!state || !state->known) return {};
  const UnixMillis now = system_now().wall;
  const UnixMillis due = renewal_time(state->known->record.eol, options_.lifetime);
  if (now < due) {
    if (auto record = sound_record(name, state->known->record.bytes))
      note_latest(name, std::move(*record));
    renew_at(name, due);
    return {};
  }
  renew_at(name, {now.value + kRenewalTries});
  writers_.tell(name, writer_input::Renew{});
  return {};
}

}  // namespace ipnscast::sync
