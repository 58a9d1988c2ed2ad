#include "ipnscast/nostr/outbox/outbox.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/nip/nip09.h"
#include "ipnscast/nostr/outbox/limits_store.h"
#include "ipnscast/nostr/outbox/quarantine_store.h"
#include "ipnscast/nostr/outbox/read_back_store.h"

namespace ipnscast::nostr {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE outbox (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   BLOB NOT NULL UNIQUE,
  kind       INTEGER NOT NULL,
  pubkey     BLOB NOT NULL,
  d          TEXT,
  created_at INTEGER NOT NULL,
  json       TEXT NOT NULL
);
CREATE INDEX outbox_address ON outbox (pubkey, kind, d) WHERE d IS NOT NULL;
CREATE TABLE outbox_relays (
  number  INTEGER NOT NULL REFERENCES outbox (number) ON DELETE CASCADE,
  relay   TEXT NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0,
  state   TEXT NOT NULL DEFAULT 'queued',
  reason  TEXT NOT NULL DEFAULT '',
  tries   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (number, relay)
) WITHOUT ROWID;
)sql";

// accepted_at is the machine's clock, for people; counted_at the outbox's own, for max_age.
constexpr char kClock[] = R"sql(
CREATE TABLE outbox_clock (
  only    INTEGER PRIMARY KEY CHECK (only = 1),
  seconds INTEGER NOT NULL,
  wall    INTEGER NOT NULL
);
INSERT INTO outbox_clock VALUES (1, 0, CAST(strftime('%s', 'now') AS INTEGER));
ALTER TABLE outbox ADD COLUMN accepted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN counted_at INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET accepted_at = created_at;
)sql";

constexpr Seconds kLongestStep{3'600};
constexpr Seconds kLongestAbsence{86'400};

Status remove(store::Database& db, int64_t number) {
  auto relays = db.prepare("DELETE FROM outbox_relays WHERE number = ?");
  if (auto done = relays.bind(number).run(); !done) return fail(done.error());
  auto row = db.prepare("DELETE FROM outbox WHERE number = ?");
  if (auto done = row.bind(number).run(); !done) return fail(done.error());
  return {};
}

// What nobody is to bring any more.
Status drop_deleted(store::Database& db, const Deletion& deletion) {
  std::vector<int64_t> numbers;
  auto s = db.prepare("SELECT number, json FROM outbox WHERE pubkey = ?");
  s.bind(deletion.author().view());
  while (s.step()) {
    const auto event = parse_event(s.text(1));
    if (event && deletion.covers(*event)) numbers.push_back(s.integer(0));
  }
  if (!s.status()) return s.status();
  for (const int64_t number : numbers) {
    if (auto removed = remove(db, number); !removed) return removed;
  }
  return drop_read_backs(db, deletion);
}

Result<int64_t> count(store::Database& db) {
  auto s = db.prepare("SELECT count(*) FROM outbox");
  if (!s.step()) return fail(s.status() ? Error{Errc::io, "outbox: no count"} : s.status().error());
  return s.integer(0);
}

// The relays that lack the event of this row.
Result<std::vector<RelayUrl>> lacking(store::Database& db, int64_t number) {
  std::vector<RelayUrl> out;
  auto s = db.prepare("SELECT relay FROM outbox_relays WHERE number = ? AND settled = 0");
  s.bind(number);
  while (s.step()) {
    if (auto relay = RelayUrl::parse(s.text(0))) out.push_back(std::move(*relay));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::vector<WaitingEvent::At>> relays_of(store::Database& db, int64_t number) {
  std::vector<WaitingEvent::At> out;
  auto s = db.prepare(
      "SELECT relay, state, reason, tries FROM outbox_relays WHERE number = ? AND settled = 0");
  s.bind(number);
  while (s.step()) {
    if (auto relay = RelayUrl::parse(s.text(0)))
      out.push_back({std::move(*relay), s.text(1), s.text(2), s.integer(3)});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::map<std::string, size_t>> lacked_by_relays(store::Database& db) {
  std::map<std::string, size_t> out;
  auto s = db.prepare("SELECT relay, count(*) FROM outbox_relays WHERE settled = 0 GROUP BY relay");
  while (s.step()) out[s.text(0)] = static_cast<size_t>(s.integer(1));
  if (!s.status()) return fail(s.status().error());
  return out;
}

// A relay's words may be long; whole characters of UTF-8.
std::string_view shortened(std::string_view words) {
  constexpr size_t kMaxReason = 300;
  if (words.size() <= kMaxReason) return words;
  size_t end = kMaxReason;
  while (end > 0 && (static_cast<uint8_t>(words[end]) & 0xc0) == 0x80) --end;
  return words.substr(0, end);
}

// Removes the oldest event that is stored somewhere. False when there is none.
Result<bool> make_room(store::Database& db) {
  auto s = db.prepare(
      "SELECT number, event_id FROM outbox WHERE EXISTS (SELECT 1 FROM outbox_relays r WHERE "
      "r.number = outbox.number AND r.state IN ('acknowledged', 'duplicate')) ORDER BY number "
      "LIMIT 1");
  if (!s.step()) {
    if (!s.status()) return fail(s.status().error());
    return false;
  }
  const int64_t number = s.integer(0);
  const std::string id = to_hex(s.blob(1));
  auto relays = lacking(db, number);
  if (!relays) return fail(relays.error());
  std::string names;
  for (const RelayUrl& relay : *relays) names += " " + relay.text();
  log_warning("outbox", "full: given up event " + id + ", which these relays lack:" + names);
  if (auto removed = remove(db, number); !removed) return fail(removed.error());
  return true;
}

Status insert(store::Database& db, const Event& event, const std::optional<Address>& address,
              const std::vector<RelayUrl>& relays) {
  auto row = db.prepare(
      "INSERT INTO outbox (event_id, kind, pubkey, d, created_at, json, accepted_at, counted_at) "
      "VALUES (?, ?, ?, ?, ?, ?, CAST(strftime('%s', 'now') AS INTEGER), "
      "(SELECT seconds FROM outbox_clock)) RETURNING number");
  row.bind(event.id.view()).bind(int64_t{event.kind}).bind(event.pubkey.view());
  if (address) {
    row.bind(std::string_view(address->d));
  } else {
    row.bind_null();
  }
  row.bind(event.created_at.value).bind(std::string_view(to_json(event)));
  if (!row.step()) return row.status() ? fail(Errc::io, "outbox: no row number") : row.status();
  const int64_t number = row.integer(0);
  row.step();
  for (const RelayUrl& relay : relays) {
    auto s = db.prepare("INSERT OR IGNORE INTO outbox_relays (number, relay) VALUES (?, ?)");
    if (auto done = s.bind(number).bind(std::string_view(relay.text())).run(); !done)
      return fail(done.error());
  }
  return {};
}

Status count_time(store::Database& db, Seconds passed, UnixSeconds now) {
  auto s = db.prepare("UPDATE outbox_clock SET seconds = seconds + ?, wall = ?");
  s.bind(std::max<int64_t>(passed.count(), 0)).bind(now.value);
  if (auto done = s.run(); !done) return fail(done.error());
  return {};
}

}  // namespace

store::Schema outbox_schema() {
  return {
      "nostr",
      {{1, kSchema}, {2, kClock}, {3, kStandingsTable}, {4, kLimitsTable}, {5, kReadBacksTable}}};
}

Status outbox_resume_clock(store::Database& db, UnixSeconds now) {
  auto read = db.prepare("SELECT wall FROM outbox_clock");
  if (!read.step()) return read.status() ? fail(Errc::io, "outbox: no clock") : read.status();
  const Seconds absent(now.value - read.integer(0));
  return count_time(db, absent > kLongestAbsence ? kLongestStep : absent, now);
}

Status outbox_advance_clock(store::Database& db, Seconds passed, UnixSeconds now) {
  return count_time(db, std::min(passed, kLongestStep), now);
}

Status outbox_withdraw(store::Database& db, const Address& address) {
  std::vector<int64_t> numbers;
  auto s = db.prepare("SELECT number FROM outbox WHERE pubkey = ? AND kind = ? AND d = ?");
  s.bind(address.pubkey.view()).bind(int64_t{address.kind}).bind(std::string_view(address.d));
  while (s.step()) numbers.push_back(s.integer(0));
  if (!s.status()) return s.status();
  for (const int64_t number : numbers) {
    if (auto removed = remove(db, number); !removed) return removed;
  }
  return {};
}

Status outbox_add(store::Database& db, const Event& event, const std::vector<RelayUrl>& relays,
                  const OutboxLimits& limits) {
  const auto address = address_of(event);
  if (address) {
    if (auto dropped = outbox_withdraw(db, *address); !dropped) return dropped;
    if (auto dropped = drop_read_backs(db, *address); !dropped) return dropped;
  }
  if (const auto deletion = Deletion::of(event)) {
    if (auto dropped = drop_deleted(db, *deletion); !dropped) return dropped;
  }
  auto waiting = count(db);
  if (!waiting) return fail(waiting.error());
  if (*waiting >= static_cast<int64_t>(limits.max_events)) {
    auto room = make_room(db);
    if (!room) return fail(room.error());
    if (!*room) {
      return fail(Errc::busy, "outbox: " + std::to_string(*waiting) +
                                  " events wait, and no relay has taken any of them");
    }
  }
  return insert(db, event, address, relays);
}

Result<bool> outbox_holds(store::Database& db, const EventId& id) {
  auto s = db.prepare("SELECT 1 FROM outbox WHERE event_id = ?");
  s.bind(id.view());
  if (s.step()) return true;
  if (!s.status()) return fail(s.status().error());
  return false;
}

Status outbox_again(store::Database& db, const Event& event, const RelayUrl& relay) {
  auto open = db.prepare(
      "UPDATE outbox_relays SET settled = 0 WHERE relay = ? AND number = (SELECT number FROM "
      "outbox "
      "WHERE event_id = ?)");
  const auto changed = open.bind(std::string_view(relay.text())).bind(event.id.view()).run();
  if (!changed) return fail(changed.error());
  if (*changed > 0) return {};
  const auto address = address_of(event);
  if (address) {
    auto other = db.prepare("SELECT 1 FROM outbox WHERE pubkey = ? AND kind = ? AND d = ?");
    other.bind(address->pubkey.view()).bind(int64_t{address->kind});
    other.bind(std::string_view(address->d));
    if (other.step()) return {};
    if (!other.status()) return other.status();
  }
  return insert(db, event, address, {relay});
}

Result<std::vector<OutboxEntry>> outbox_pending(store::Database& db) {
  auto s = db.prepare(
      "SELECT o.number, o.json, r.relay FROM outbox o JOIN outbox_relays r ON r.number = o.number "
      "WHERE r.settled = 0 ORDER BY o.number");
  std::vector<OutboxEntry> out;
  int64_t last = -1;
  while (s.step()) {
    auto relay = RelayUrl::parse(s.text(2));
    if (s.integer(0) != last) {
      auto event = parse_event(s.text(1));
      if (!event || !verify(*event)) {
        log_error("outbox", "row " + std::to_string(s.integer(0)) + " is damaged and stays unsent");
        continue;
      }
      last = s.integer(0);
      out.push_back({std::move(*event), {}});
    }
    if (relay) out.back().relays.push_back(std::move(*relay));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<OutboxView> outbox_view(store::Database& db, size_t most) {
  OutboxView out;
  auto waiting = count(db);
  if (!waiting) return fail(waiting.error());
  out.events = static_cast<size_t>(*waiting);
  auto lacked = lacked_by_relays(db);
  if (!lacked) return fail(lacked.error());
  out.lacked = std::move(*lacked);
  auto s = db.prepare(
      "SELECT number, event_id, kind, d, accepted_at FROM outbox ORDER BY number LIMIT ?");
  s.bind(static_cast<int64_t>(most));
  while (s.step()) {
    WaitingEvent event{{}, static_cast<int>(s.integer(2)), {}, {s.integer(4)}, {}};
    const Bytes id = s.blob(1);
    if (id.size() != event.id.bytes.size()) return fail(Errc::parse, "outbox: a damaged row");
    std::copy(id.begin(), id.end(), event.id.bytes.begin());
    if (!s.is_null(3)) event.d = s.text(3);
    auto lacking = relays_of(db, s.integer(0));
    if (!lacking) return fail(lacking.error());
    event.relays = std::move(*lacking);
    out.first.push_back(std::move(event));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::vector<OutboxEntry>> outbox_expire(store::Database& db, const OutboxLimits& limits) {
  std::vector<OutboxEntry> out;
  std::vector<int64_t> numbers;
  auto s = db.prepare(
      "SELECT number, json FROM outbox WHERE counted_at < (SELECT seconds FROM outbox_clock) - ?");
  s.bind(limits.max_age.count());
  while (s.step()) {
    numbers.push_back(s.integer(0));
    auto event = parse_event(s.text(1));
    auto relays = lacking(db, numbers.back());
    if (!relays) return fail(relays.error());
    if (event) out.push_back({std::move(*event), std::move(*relays)});
  }
  if (!s.status()) return fail(s.status().error());
  for (const int64_t number : numbers) {
    if (auto removed = remove(db, number); !removed) return fail(removed.error());
  }
  return out;
}

bool outbox_settles(const RelayOutcome& outcome) {
  return outcome.stored() || outcome.state == PublishState::superseded ||
         (outcome.state == PublishState::refused && outcome.permanent) ||
         (outcome.state == PublishState::acknowledged && outcome.quarantined);
}

Status outbox_note(store::Database& db, const EventId& id, const RelayUrl& relay,
                   const RelayOutcome& outcome) {
  auto find = db.prepare("SELECT number FROM outbox WHERE event_id = ?");
  find.bind(id.view());
  if (!find.step()) return find.status();  // superseded meanwhile
  const int64_t number = find.integer(0);
  auto update = db.prepare(
      "UPDATE outbox_relays SET settled = ?, state = ?, reason = ?, tries = tries + 1 "
      "WHERE number = ? AND relay = ?");
  update.bind(int64_t{outbox_settles(outcome)})
      .bind(to_string(outcome.state))
      .bind(shortened(outcome.reason))
      .bind(number)
      .bind(std::string_view(relay.text()));
  if (auto done = update.run(); !done) return fail(done.error());
  auto open = db.prepare("SELECT 1 FROM outbox_relays WHERE number = ? AND settled = 0");
  open.bind(number);
  if (open.step()) return {};
  if (!open.status()) return open.status();
  return remove(db, number);
}

}  // namespace ipnscast::nostr
