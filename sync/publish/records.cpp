// The publisher's records on their way to routers and nodes, and those that lag.
#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/publish/progress.h"
#include "ipnscast/sync/state/known_here.h"

namespace ipnscast::sync {

// As far as is known.
bool Publisher::takes_records(size_t gateway) const {
  if (!parts_.book.uses(gateway).publish) return false;
  const auto dialects = parts_.book.dialects(gateway);
  return !dialects || dialects->rpc || dialects->routing;
}

std::optional<size_t> Publisher::gateway_of(const std::string& url) const {
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (parts_.book.endpoint(i).url == url) return i;
  }
  return std::nullopt;
}

std::vector<size_t> Publisher::record_takers() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (takes_records(i)) out.push_back(i);
  }
  return out;
}

// What does not come through stays owed, and is tried again when the guard is gone.
void Publisher::send_record(const IpnsName& name, const IpnsRecord& record,
                            const std::shared_ptr<Progress>& progress, Errands::Guard guard) {
  const std::vector<size_t> takers = record_takers();
  std::vector<Outcome::Place> places;
  for (const size_t gateway : takers) {
    const auto dialects = parts_.book.dialects(gateway);
    Outcome::Place place;
    place.kind =
        dialects && !dialects->rpc ? Outcome::Place::Kind::router : Outcome::Place::Kind::node;
    place.url = parts_.book.endpoint(gateway).url;
    places.push_back(std::move(place));
  }
  progress->expect_record(std::move(places));
  parts_.records.send(
      name, record,
      [this, name, record, progress](const Outcome::Place& place) {
        note_place(name, record, place);
        progress->place(place);
      },
      [this, progress, name, bytes = record.bytes(), takers,
       guard = std::move(guard)](const std::vector<Outcome::Place>& brought) {
        errands_.note_brought(name, bytes, takers, brought);
        progress->record_everywhere();
      },
      takers);
}

// What a place has after all is news as any other.
void Publisher::note_place(const IpnsName& name, const IpnsRecord& record,
                           const Outcome::Place& place) {
  if (place.ok) shows(name, record, place.url);
  if (place.newer_record.empty()) return;
  if (const auto newer = sound_record(name, place.newer_record))
    writers_.saw(name, known_record(*newer), place.url);
}

void Publisher::note_latest(const IpnsName& name, IpnsRecord record) {
  std::lock_guard lock(latest_mutex_);
  const auto it = latest_.find(name);
  if (it == latest_.end()) {
    latest_.emplace(name, std::move(record));
  } else if (better(record, it->second)) {
    it->second = std::move(record);
  }
}

// What a lagging place is to get is noted as owed before it is sent: the process may be about to
// end, and an errand of a later one brings it then. Only what we signed ourselves can be owed.
void Publisher::repair(const IpnsName& name, const IpnsRecord& record,
                       const std::vector<size_t>& lagging) {
  std::vector<OwedRecord> owed;
  for (const size_t gateway : lagging) owed.push_back({name, parts_.book.endpoint(gateway).url});
  auto note = [name, owed, bytes = record.bytes()](store::Database& db) -> Status {
    const auto own = load_own_name(db, name);
    if (!own) return fail(own.error());
    if (!*own || (*own)->record != bytes) return {};
    for (const OwedRecord& one : owed) {
      if (auto done = owe_record(db, one); !done) return done;
    }
    return {};
  };
  auto send = [this, name, record, lagging, guard = errands_.hold(name)](const Status& noted) {
    if (!noted) log_error("publisher", noted.error().message);
    parts_.records.send(
        name, record, nullptr,
        [this, name, bytes = record.bytes(), lagging,
         guard](const std::vector<Outcome::Place>& places) {
          errands_.note_brought(name, bytes, lagging, places);
        },
        lagging);
  };
  parts_.writer.submit(std::move(note), std::move(send));
}

void Publisher::saw(const IpnsName& name, const ResolveReport& report) {
  if (writers_.has(name)) note_answers(name, report);
  std::optional<IpnsRecord> newest;
  std::vector<size_t> lagging;
  {
    std::lock_guard lock(latest_mutex_);
    const auto own = latest_.find(name);
    if (own == latest_.end()) return;
    newest = report.best && better(*report.best, own->second) ? *report.best : own->second;
    if (newest->expired(system_now().wall)) return;
    const auto& fields = newest->fields();
    for (const size_t gateway : record_takers()) {
      const auto lags = [&](const ResolveReport::Source& source) {
        if (source.url != parts_.book.endpoint(gateway).url) return false;
        if (!source.sequence)
          return source.answer == "not found" || source.answer == "expired record";
        // Another value under its sequence is not replaced: the winner goes on as sequence + 1.
        return *source.sequence < fields.sequence ||
               (*source.sequence == fields.sequence && source.value == fields.value && source.eol &&
                *source.eol < fields.eol);
      };
      if (std::any_of(report.sources.begin(), report.sources.end(), lags) &&
          repairs_.admit(name, gateway, std::chrono::steady_clock::now())) {
        lagging.push_back(gateway);
      }
    }
  }
  if (lagging.empty()) return;
  log_info("publisher", std::to_string(lagging.size()) +
                            " places answered an older record of ours and get the latest");
  repair(name, *newest, lagging);
}

}  // namespace ipnscast::sync
