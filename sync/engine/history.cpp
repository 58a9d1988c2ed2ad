// Versions before the newest one: what is noted of them, and how they reach the handler, one at a
// time out of the state file.
#include <algorithm>

#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::sync {

using What = TrackedName::Delivering::What;

namespace {

constexpr Milliseconds kReadAgain{1'000};

}  // namespace

// While commits fail, as many wait as are kept.
void Engine::note(Tracked& name, HistoryNote note) {
  name.notes.push_back(std::move(note));
  if (name.notes.size() > 2 * options_.history_versions + 2) name.notes.erase(name.notes.begin());
}

// After row.record has become another than `before`, and before anything is owed about it.
void Engine::hear(Tracked& name, const std::optional<Version>& before, const SourceId& source,
                  const std::optional<nostr::PublicKey>& author, UnixMillis seen) {
  auto& row = name.row;
  const bool renewed = before == row.record->version();
  if (!renewed) ++row.heard;
  HistoryNote heard{.what = renewed ? HistoryNote::What::renewed : HistoryNote::What::heard,
                    .number = row.heard,
                    .at = seen};
  heard.record = row.record;
  heard.source = source.kind;
  heard.author = author;
  if (row.loser && !(before && before->value == row.record->value)) heard.loser = row.loser;
  note(name, std::move(heard));
  if (!renewed) settle_newest(name);
}

// What the application has already, or refuses, is not handed over.
void Engine::settle_newest(Tracked& name) {
  auto& row = name.row;
  const bool refused = refused_latest(name);
  const bool has_it = row.handed && row.handed->value == row.record->value && !row.owed;
  if (!refused && !has_it) return;
  row.owed.reset();  // it was about what this one has replaced
  note(name, {.what = refused ? HistoryNote::What::refused : HistoryNote::What::taken,
              .number = row.heard,
              .at = now_.wall,
              .since = row.heard});
  if (!name.every_version || row.passed + 1 == row.heard) row.passed = row.heard;
}

// The application published it itself. What others published before is not news to it any more.
void Engine::have_own(Tracked& name) {
  auto& row = name.row;
  note(
      name,
      {.what = HistoryNote::What::taken, .number = row.heard, .at = now_.wall, .since = row.heard});
  row.passed = row.heard;
}

// The handler has what `done` brought, or refused it.
void Engine::pass(Tracked& name, const Tracked::Delivering& done, bool refused) {
  auto& row = name.row;
  if (done.what == What::replay) {
    // Another replay may have been asked for meanwhile.
    if (!name.older || !name.older->replay || !row.replay) return;
    if (refused) {
      note(name, {.what = HistoryNote::What::refused,
                  .number = done.number,
                  .at = now_.wall,
                  .since = done.number});
    } else {
      name.replayed_value = done.change.value;
      name.replayed_cid = done.change.cid;
    }
    row.replay->next = done.number + 1;
    if (row.replay->next > row.replay->last) row.replay.reset();
    name.older.reset();
    return;
  }
  // Renewals that came meanwhile are the same to the handler.
  const bool latest = done.what == What::record && done.generation == name.generation;
  const uint64_t number = latest ? row.heard : done.number;
  note(name, {.what = refused ? HistoryNote::What::refused : HistoryNote::What::taken,
              .number = number,
              .at = now_.wall,
              .since = done.number});
  row.passed = std::max(row.passed, number);
  // What came before the replay began is a part of it.
  if (row.replay) row.replay->last = std::max(row.replay->last, number);
  if (done.what == What::older) name.older.reset();
}

void Engine::take(input::Replay& in) {
  Tracked* const name = tracked(in.name);
  if (name == nullptr || !name->row.watched || name->row.passed < in.from) return;
  drop_older(*name);
  name->row.replay = NameRow::Replay{in.from, name->row.passed};
  name->replayed_value.clear();
  name->replayed_cid.reset();
  touch(*name, true);
  advance(*name);
}

// A version before the newest one comes first.
bool Engine::owes_older(const Tracked& name) const {
  const auto& row = name.row;
  if (row.replay) return true;
  return name.every_version && row.passed + 1 < row.heard;
}

void Engine::bring_older(Tracked& name) {
  if (!name.has_handler || !owes_older(name)) return drop_older(name);
  if (name.older && name.older->replay != name.row.replay.has_value()) drop_older(name);
  if (!name.older) return read_older(name);
  if (name.older->version) fetch_older(name);
}

// Behind the commits, so that it finds all that was heard; and behind a hand-over, which may be of
// the version that is to be read.
void Engine::read_older(Tracked& name) {
  if (name.commit || name.dirty() || name.delivery || name.older_at > now_.steady) return;
  const auto& row = name.row;
  HistorySearch search;
  if (row.replay) {
    search = {row.replay->next - 1, row.replay->last, name.replayed_value};
  } else {
    tell_dropped(name);
    search = {row.passed, row.heard - 1, row.handed ? row.handed->value : ""};
  }
  name.older = Tracked::Older{.reading = next_job(), .replay = row.replay.has_value()};
  emit(action::ReadVersion{row.name, name.older->reading, std::move(search)});
}

void Engine::tell_dropped(Tracked& name) {
  const auto& row = name.row;
  const uint64_t gone = row.heard - std::min<uint64_t>(row.heard, options_.history_versions);
  if (row.passed >= gone) return;
  emit(action::Alarm{row.name, std::to_string(gone - row.passed) +
                                   " versions were dropped before they were handed over: more "
                                   "were heard than are kept (handover.history)"});
  name.row.passed = gone;
  touch(name, false);
}

void Engine::take(input::VersionRead& in) {
  Tracked* const name = tracked(in.name);
  if (name == nullptr || !name->older || name->older->reading != in.job) return;
  if (in.failed) {
    name->older.reset();
    name->older_at = now_.steady + kReadAgain;
  } else if (in.version) {
    name->older->version = std::move(in.version);
    name->older->give_up = now_.steady + options_.older_patience;
  } else {
    if (name->older->replay) {
      name->row.replay.reset();
    } else {
      name->row.passed = name->row.heard - 1;
    }
    name->older.reset();
    touch(*name, false);
  }
  advance(*name);
}

bool Engine::older_ready(const Tracked& name) const {
  if (!name.older || !name.older->version) return false;
  return !name.row.fetch_content || name.older->content || name.older->gone;
}

void Engine::fetch_older(Tracked& name) {
  auto& older = *name.older;
  if (older_ready(name)) return;
  if (older.give_up <= now_.steady) return give_up_content(name);
  if (older.fetch || (older.failures > 0 && older.retry > now_.steady)) return;
  older.fetch = Tracked::Fetching{next_job(), older.version->version.value, older.give_up};
  emit(action::Fetch{name.row.name, older.fetch->job, older.fetch->value, older.fetch->deadline,
                     false});
}

void Engine::give_up_content(Tracked& name) {
  auto& older = *name.older;
  if (older.fetch) emit(action::Cancel{older.fetch->job});
  older.fetch.reset();
  older.gone = true;
  const Version& version = older.version->version;
  emit(action::Alarm{name.row.name, "the content of sequence " +
                                        std::to_string(version.sequence.value) + " (" +
                                        version.value +
                                        ") cannot be fetched any more; it is handed over without"});
}

bool Engine::older_fetched(Tracked& name, JobId job, std::optional<Cid> cid) {
  if (!name.older || !name.older->fetch || name.older->fetch->job != job) return false;
  const std::string value = name.older->fetch->value;
  name.older->content = Tracked::Content{value, cid ? std::move(cid) : root_of(value)};
  name.older->fetch.reset();
  return true;
}

bool Engine::older_failed(Tracked& name, JobId job) {
  if (!name.older || !name.older->fetch || name.older->fetch->job != job) return false;
  auto& older = *name.older;
  older.fetch.reset();
  older.failures = std::min(older.failures + 1, 1'000);
  older.retry = now_.steady + retry_after(older.failures);
  return true;
}

void Engine::drop_older(Tracked& name) {
  if (!name.older) return;
  if (name.older->fetch) emit(action::Cancel{name.older->fetch->job});
  name.older.reset();
}

Change Engine::older_change(const Tracked& name) const {
  const auto& older = *name.older;
  const HeardVersion& heard = *older.version;
  Change change{.kind = heard.loser ? ChangeKind::conflict : ChangeKind::change,
                .name = name.row.name,
                .sequence = heard.version.sequence,
                .value = heard.version.value,
                .cid = {},
                .previous = {},
                .other_value = heard.loser,
                .source = heard.source,
                .author = heard.author,
                .seen = heard.seen,
                .replay = older.replay};
  if (older.content) {
    change.cid = older.content->cid;
  } else if (!name.row.fetch_content) {
    change.cid = root_of(heard.version.value);
  }
  if (older.replay) {
    change.previous = name.replayed_cid;
  } else if (name.row.handed) {
    change.previous = name.row.handed->cid;
  }
  return change;
}

}  // namespace ipnscast::sync
