#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::sync {
namespace {

// What is handed over together with the content.
bool needs_content(ChangeKind kind) {
  return kind != ChangeKind::stale && kind != ChangeKind::withdrawn;
}

}  // namespace

bool Engine::content_ready(const Tracked& name) const {
  const auto& row = name.row;
  if (!row.fetch_content || !row.record) return true;
  if (name.content && name.content->value == row.record->value) return true;
  return row.handed && row.handed->value == row.record->value;
}

void Engine::fetch_if_wanted(Tracked& name) {
  auto& row = name.row;
  if (!row.watched || !row.owed || !needs_content(*row.owed)) return;
  if (name.fetch || content_ready(name)) return;
  if (row.failures > 0 && name.retry > now_.steady) return;
  name.fetch =
      Tracked::Fetching{next_job(), row.record->value, now_.steady + options_.fetch_timeout};
  emit(action::Fetch{row.name, name.fetch->job, name.fetch->value, name.fetch->deadline});
}

// A trusted claim's content comes before its record does.
void Engine::start_prefetch(Tracked& name, const Cid& cid) {
  const std::string value = value_of(cid.as_v1());
  if (!name.row.watched || !name.row.fetch_content) return;
  if (name.prefetch && name.prefetch->value == value) return;
  if (name.fetch && name.fetch->value == value) return;
  if (name.prefetched && name.prefetched->value == value) return;
  if (name.prefetch) emit(action::Cancel{name.prefetch->job});
  name.prefetched.reset();
  name.prefetch = Tracked::Fetching{next_job(), value, now_.steady + options_.fetch_timeout};
  emit(action::Fetch{name.row.name, name.prefetch->job, value, name.prefetch->deadline});
}

void Engine::take(input::Fetched& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  const auto content_of = [&](const std::string& value) {
    return Tracked::Content{value, in.cid ? in.cid : root_of(value)};
  };
  if (name->fetch && name->fetch->job == in.job) {
    name->content = content_of(name->fetch->value);
    name->fetch.reset();
    if (std::exchange(name->row.failures, 0) > 0) touch(*name, false);
    name->fetched_after =
        std::chrono::duration_cast<std::chrono::microseconds>(now_.steady - name->seen_at);
  } else if (name->prefetch && name->prefetch->job == in.job) {
    name->prefetched = content_of(name->prefetch->value);
    name->prefetch.reset();
    if (name->following) {
      name->fetched_after = std::chrono::duration_cast<std::chrono::microseconds>(
          now_.steady - name->following->arrived.steady);
    }
    offer_provisional(*name);
  } else {
    older_fetched(*name, in.job, std::move(in.cid));
  }
  advance(*name);
}

void Engine::take(input::FetchFailed& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  if (name->fetch && name->fetch->job == in.job) {
    name->fetch.reset();
    failed(*name);
    tell_why(*name, in.error);
  } else if (name->prefetch && name->prefetch->job == in.job) {
    name->prefetch.reset();
  } else {
    older_failed(*name, in.job);
  }
  advance(*name);
}

// confirm = trusted: the claimed content is here, its record not yet. The row says so before the
// handler does.
void Engine::offer_provisional(Tracked& name) {
  auto& row = name.row;
  if (!name.following || !name.following->provisional) return;
  const auto& news = name.following->news;
  const bool here = !row.fetch_content ||
                    (name.prefetched && name.prefetched->value == value_of(news.cid.as_v1()));
  if (!here || !news.author || reached(name, news)) return;
  if (row.provisional && row.provisional->cid == news.cid.as_v1()) return;
  if (name.refused_claim == Version{news.sequence.value_or(Sequence{}), value_of(news.cid.as_v1())})
    return;
  name.following->provisional = false;
  row.provisional = NameRow::Provisional{news.cid.as_v1(), *news.author, now_.wall};
  name.provisional_due = true;
  touch(name, true);
}

// Kept across restarts: 1 s doubling to 5 min.
void Engine::failed(Tracked& name) {
  auto& row = name.row;
  row.failures = std::min(row.failures + 1, 1'000);
  const Milliseconds wait = retry_after(row.failures);
  name.retry = now_.steady + wait;
  row.retry_at = {now_.wall.value + wait.count()};
  touch(name, false);
}

// Why a new value is not handed over: once for each reason, however often it is tried.
void Engine::tell_why(Tracked& name, const Error& error) {
  const auto& row = name.row;
  if (!row.record) return;
  std::string why = row.record->value + " " + std::string(to_string(error.code));
  if (name.told_why == why) return;
  name.told_why = std::move(why);
  emit(action::Alarm{row.name, "sequence " + std::to_string(row.record->sequence.value) +
                                   " is known, but its content (" + row.record->value +
                                   ") cannot be fetched: " + error.message +
                                   "; it is tried again for as long as this runs"});
}

// Somebody was asked, and has no record. Told once, and not at once: the name may be new.
void Engine::note_missing(Tracked& name) {
  constexpr Seconds kNew{10};
  if (name.row.record || name.told_missing || options_.secret_names) return;
  if (!name.missing_since) name.missing_since = now_.steady;
  if (now_.steady - *name.missing_since < kNew) return;
  name.told_missing = true;
  emit(action::Alarm{name.row.name,
                     "no source has a record of this name yet: is it the right one? It is watched "
                     "all the same"});
}

}  // namespace ipnscast::sync
