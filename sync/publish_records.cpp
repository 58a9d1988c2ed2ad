// The publisher's records on their way to routers and nodes, and those that lag.
#include <algorithm>

#include "nostr/base/log.h"
#include "sync/publish_progress.h"

namespace ipnscast::sync {

// What takes records, as far as is known.
std::vector<size_t> Publisher::record_takers() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (!parts_.book.uses(i).publish) continue;
    const auto dialects = parts_.book.dialects(i);
    if (!dialects || dialects->rpc || dialects->routing) out.push_back(i);
  }
  return out;
}

// What does not come through stays owed, and is tried again when the guard is gone.
void Publisher::send_record(const IpnsName& name, const IpnsRecord& record,
                            const std::shared_ptr<Progress>& progress, Errands::Guard guard) {
  const std::vector<size_t> takers = record_takers();
  parts_.records.send(
      name, record, [progress](const Outcome::Place& place) { progress->place(place); },
      [this, progress, name, bytes = record.bytes(), takers,
       guard = std::move(guard)](const std::vector<Outcome::Place>& places) {
        errands_.note_brought(name, bytes, takers, places);
        progress->reported();
      },
      takers);
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

void Publisher::saw(const IpnsName& name, const ResolveReport& report) {
  std::optional<IpnsRecord> newest;
  std::vector<size_t> lagging;
  {
    std::lock_guard lock(latest_mutex_);
    const auto own = latest_.find(name);
    if (own == latest_.end()) return;
    newest = report.best && better(*report.best, own->second) ? *report.best : own->second;
    if (newest->expired(system_now().wall)) return;
    for (const size_t gateway : record_takers()) {
      const auto lags = [&](const ResolveReport::Source& source) {
        if (source.url != parts_.book.endpoint(gateway).url) return false;
        if (source.sequence) return *source.sequence < newest->fields().sequence;
        return source.answer == "not found" || source.answer == "expired record";
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
  parts_.records.send(
      name, *newest, nullptr,
      [this, name, bytes = newest->bytes(), lagging](const std::vector<Outcome::Place>& places) {
        errands_.note_brought(name, bytes, lagging, places);
      },
      lagging);
}

}  // namespace ipnscast::sync
