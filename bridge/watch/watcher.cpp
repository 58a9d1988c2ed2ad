#include "ipnscast/bridge/watch/watcher.h"

#include <algorithm>

namespace ipnscast::bridge {

PollUpdate read_poll(const sync::IpnsName& name, uint64_t poll, const sync::ResolveUpdate& update) {
  PollUpdate out{name, poll, {}, {}, false, false};
  const auto& sources = update.report.sources;
  if (update.report.best) {
    out.record = sync::known_record(*update.report.best);
    const auto from = std::find_if(sources.begin(), sources.end(), [&](const auto& source) {
      return source.answer == "record" && source.sequence == out.record->sequence;
    });
    if (from != sources.end()) out.source = from->url;
  }
  out.over = update.kind == sync::ResolveUpdate::Kind::finished;
  if (out.over && !update.unchanged && !out.record) {
    out.failed = std::none_of(sources.begin(), sources.end(), [](const auto& source) {
      return source.answer == "not found" || source.answer == "expired record";
    });
  }
  return out;
}

void Watcher::poll_due(Instant now) {
  for (const sync::IpnsName& name : scheduler_.take_due(now)) {
    const uint64_t number = ++last_poll_;
    polls_.insert_or_assign(name, Poll{number, false});
    resolver_.poll(name, [post = post_, name, number](const sync::ResolveUpdate& update) {
      if (update.kind == sync::ResolveUpdate::Kind::not_yet) return;
      post(read_poll(name, number, update));
    });
  }
}

void Watcher::take(const PollUpdate& update, bool changed, Instant now) {
  const auto it = polls_.find(update.name);
  if (it == polls_.end() || it->second.number != update.poll) return;
  it->second.changed = it->second.changed || changed;
  if (!update.over) return;
  const auto outcome = it->second.changed ? Scheduler::Outcome::changed
                       : update.failed    ? Scheduler::Outcome::failed
                                          : Scheduler::Outcome::unchanged;
  polls_.erase(it);
  scheduler_.done(update.name, outcome, now);
}

}  // namespace ipnscast::bridge
