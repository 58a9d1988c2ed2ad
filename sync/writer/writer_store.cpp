#include "ipnscast/sync/writer/writer_store.h"

#include <algorithm>

#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/sequence_column.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {

namespace {

using store::Database;
using store::Statement;

void bind_vector(Statement& s, const std::optional<VersionVector>& vector) {
  if (vector) {
    s.bind(ByteView(encode_vector(*vector)));
  } else {
    s.bind_null();
  }
}

void bind_seen(Statement& s, const std::optional<SeenRecord>& seen) {
  if (!seen) {
    s.bind_null().bind_null();
    return;
  }
  s.bind(ByteView(seen->record.bytes));
  bind_vector(s, seen->vector);
}

void bind_version(Statement& s, const std::optional<Version>& version) {
  if (version) {
    s.bind(number(version->sequence)).bind(version->value);
  } else {
    s.bind_null().bind_null();
  }
}

Result<DeviceTag> tag_at(const Statement& s, int column) {
  const Bytes bytes = s.blob(column);
  DeviceTag tag;
  if (bytes.size() != tag.bytes.size()) return fail(Errc::parse, "state file: a damaged tag");
  std::copy(bytes.begin(), bytes.end(), tag.bytes.begin());
  return tag;
}

Result<std::optional<VersionVector>> vector_at(const Statement& s, int column) {
  if (s.is_null(column)) return std::optional<VersionVector>();
  auto vector = decode_vector(s.blob(column));
  if (!vector) return fail(Errc::parse, "state file: a damaged version vector");
  return vector;
}

// The record of one column and the vector of the next.
Result<std::optional<SeenRecord>> seen_at(const Statement& s, int column, const IpnsName& name) {
  if (s.is_null(column)) return std::optional<SeenRecord>();
  const auto record = sound_record(name, s.blob(column));
  if (!record) return fail(Errc::signature, "state file: a record that does not hold");
  auto vector = vector_at(s, column + 1);
  if (!vector) return fail(vector.error());
  SeenRecord seen = seen_record(*record);
  if (*vector) seen.vector = std::move(*vector);
  return std::optional(std::move(seen));
}

std::optional<Version> version_at(const Statement& s, int column) {
  if (s.is_null(column)) return std::nullopt;
  return Version{sequence_at(s, column), s.text(column + 1)};
}

Status save_own(Database& db, const IpnsName& name, const OwnPublish& own, int64_t place) {
  auto s = db.prepare(
      "INSERT INTO sync_own_publishes(name, tag, count, number, sequence, value, record, vector, "
      "state, queued, expected, made_on_sequence, made_on_value, twin_tag, twin_count, theirs, "
      "theirs_vector, certain, told) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  s.bind(ByteView(name.bytes())).bind(ByteView(own.tag.bytes));
  s.bind(static_cast<int64_t>(own.count)).bind(place);
  s.bind(number(own.sequence())).bind(own.value());
  bind_seen(s, own.seen);
  s.bind(static_cast<int64_t>(own.state)).bind(int64_t{own.queued});
  if (own.expected) {
    s.bind(number(*own.expected));
  } else {
    s.bind_null();
  }
  bind_version(s, own.made_on);
  if (own.twin) {
    s.bind(ByteView(own.twin->tag.bytes)).bind(static_cast<int64_t>(own.twin->count));
  } else {
    s.bind_null().bind_null();
  }
  bind_seen(s, own.theirs);
  s.bind(int64_t{own.certain}).bind(int64_t{own.told});
  return run(s);
}

Result<OwnPublish> read_own(const Statement& s, const IpnsName& name) {
  OwnPublish own;
  const auto tag = tag_at(s, 0);
  if (!tag) return fail(tag.error());
  own.tag = *tag;
  own.count = static_cast<uint64_t>(s.integer(1));
  auto seen = seen_at(s, 2, name);
  if (!seen) return fail(seen.error());
  if (!*seen) return fail(Errc::parse, "state file: an own publish without a record");
  own.seen = std::move(**seen);
  const int64_t state = s.integer(4);
  if (state < 0 || state > static_cast<int64_t>(OwnPublish::State::acknowledged))
    return fail(Errc::parse, "state file: an own publish in an unknown state");
  own.state = static_cast<OwnPublish::State>(state);
  own.queued = s.integer(5) != 0;
  if (!s.is_null(6)) own.expected = sequence_at(s, 6);
  own.made_on = version_at(s, 7);
  if (!s.is_null(9)) {
    const auto twin = tag_at(s, 9);
    if (!twin) return fail(twin.error());
    own.twin = OwnPublish::Twin{*twin, static_cast<uint64_t>(s.integer(10))};
  }
  auto theirs = seen_at(s, 11, name);
  if (!theirs) return fail(theirs.error());
  own.theirs = std::move(*theirs);
  own.certain = s.integer(13) != 0;
  own.told = s.integer(14) != 0;
  return own;
}

}  // namespace

Status save_writer(Database& db, const IpnsName& name, const WriterState& state) {
  auto s = db.prepare(
      "INSERT OR REPLACE INTO sync_writers(name, tag, count, highest, base_sequence, base_value, "
      "base_vector, known, known_vector, contested_sequence, contested_loser, owed, owed_vector, "
      "before_queue, before_queue_vector) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  s.bind(ByteView(name.bytes())).bind(ByteView(state.tag.bytes));
  s.bind(static_cast<int64_t>(state.count)).bind(number(state.highest));
  bind_version(s, state.base ? std::optional(state.base->version) : std::nullopt);
  bind_vector(s, state.base ? state.base->vector : std::nullopt);
  bind_seen(s, state.known);
  if (state.contested) {
    s.bind(number(state.contested->sequence)).bind(state.contested->loser);
  } else {
    s.bind_null().bind_null();
  }
  bind_seen(s, state.owed);
  bind_seen(s, state.before_queue);
  if (auto saved = run(s); !saved) return saved;
  auto clear = db.prepare("DELETE FROM sync_own_publishes WHERE name = ?");
  clear.bind(ByteView(name.bytes()));
  if (auto cleared = run(clear); !cleared) return cleared;
  int64_t place = 0;
  for (const OwnPublish& own : state.own) {
    if (auto saved = save_own(db, name, own, ++place); !saved) return saved;
  }
  return {};
}

Result<std::optional<WriterState>> load_writer(Database& db, const IpnsName& name) {
  WriterState state;
  {
    auto s = db.prepare(
        "SELECT tag, count, highest, base_sequence, base_value, base_vector, known, known_vector, "
        "contested_sequence, contested_loser, owed, owed_vector, before_queue, "
        "before_queue_vector FROM sync_writers WHERE name = ?");
    s.bind(ByteView(name.bytes()));
    if (!s.step()) {
      if (!s.status()) return fail(s.status().error());
      return std::optional<WriterState>();
    }
    const auto tag = tag_at(s, 0);
    if (!tag) return fail(tag.error());
    state.tag = *tag;
    state.count = static_cast<uint64_t>(s.integer(1));
    state.highest = sequence_at(s, 2);
    if (const auto version = version_at(s, 3)) {
      auto vector = vector_at(s, 5);
      if (!vector) return fail(vector.error());
      state.base = WriterState::Base{*version, std::move(*vector)};
    }
    if (!s.is_null(8)) state.contested = WriterState::Contested{sequence_at(s, 8), s.text(9)};
    const auto read = [&](int column, std::optional<SeenRecord>& out) -> Status {
      auto seen = seen_at(s, column, name);
      if (!seen) return fail(seen.error());
      out = std::move(*seen);
      return {};
    };
    if (auto done = read(6, state.known); !done) return fail(done.error());
    if (auto done = read(10, state.owed); !done) return fail(done.error());
    if (auto done = read(12, state.before_queue); !done) return fail(done.error());
  }
  auto s = db.prepare(
      "SELECT tag, count, record, vector, state, queued, expected, made_on_sequence, "
      "made_on_value, twin_tag, twin_count, theirs, theirs_vector, certain, told FROM "
      "sync_own_publishes WHERE name = ? ORDER BY number");
  s.bind(ByteView(name.bytes()));
  while (s.step()) {
    auto own = read_own(s, name);
    if (!own) return fail(own.error());
    state.own.push_back(std::move(*own));
  }
  if (!s.status()) return fail(s.status().error());
  return std::optional(std::move(state));
}

Result<WriterState> load_or_begin_writer(Database& db, const IpnsName& name) {
  auto stored = load_writer(db, name);
  if (!stored) return fail(stored.error());
  if (*stored) return std::move(**stored);
  WriterState state;
  const auto row = load_name(db, name);
  if (!row) return fail(row.error());
  if (!*row) return state;
  const KnownRecord* const best = (*row)->ahead    ? &*(*row)->ahead
                                  : (*row)->record ? &*(*row)->record
                                                   : nullptr;
  if (best != nullptr) {
    const auto record = sound_record(name, best->bytes);
    if (!record) return fail(Errc::signature, "state file: a record that does not hold");
    state.known = seen_record(*record);
  }
  if (const auto& taken = (*row)->taken) {
    const bool current = state.known && state.known->version() == *taken;
    state.base = WriterState::Base{*taken, current ? state.known->vector : std::nullopt};
  }
  return state;
}

Result<std::vector<IpnsName>> load_written_names(Database& db) {
  std::vector<IpnsName> out;
  auto s = db.prepare("SELECT name FROM sync_writers ORDER BY name");
  while (s.step()) {
    const auto name = IpnsName::from_multihash(s.blob(0));
    if (!name) return fail(name.error().within("state file: name"));
    out.push_back(*name);
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::map<IpnsName, size_t>> count_lost(Database& db) {
  std::map<IpnsName, size_t> out;
  auto s =
      db.prepare("SELECT name, count(*) FROM sync_own_publishes WHERE state = ? GROUP BY name");
  s.bind(static_cast<int64_t>(OwnPublish::State::lost));
  while (s.step()) {
    const auto name = IpnsName::from_multihash(s.blob(0));
    if (!name) return fail(name.error().within("state file: name"));
    out.emplace(*name, static_cast<size_t>(s.integer(1)));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

}  // namespace ipnscast::sync
