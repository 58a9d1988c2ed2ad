#include "ipnscast/nostr/outbox/read_back_store.h"

#include <algorithm>

namespace ipnscast::nostr {

const char* const kReadBacksTable = R"sql(
CREATE TABLE outbox_read_backs (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   BLOB NOT NULL,
  relay      TEXT NOT NULL,
  kind       INTEGER NOT NULL,
  pubkey     BLOB NOT NULL,
  d          TEXT,
  created_at INTEGER NOT NULL,
  json       TEXT NOT NULL,
  due_ms     INTEGER NOT NULL,  -- since 1970, by the machine's clock
  counted_at INTEGER NOT NULL,  -- by the outbox's
  UNIQUE (event_id, relay)
);
CREATE INDEX outbox_read_backs_address ON outbox_read_backs (pubkey, kind, d);
CREATE INDEX outbox_read_backs_relay ON outbox_read_backs (relay, number);
)sql";

namespace {

constexpr int64_t kMaxOwed = 1000;
constexpr int64_t kMaxAge = 86'400;  // seconds

Status done(const Result<int64_t>& ran) { return ran ? Status{} : fail(ran.error()); }

}  // namespace

Status owe_read_back(store::Database& db, const Event& event, const RelayUrl& relay,
                     UnixMillis due) {
  auto add = db.prepare(
      "INSERT OR REPLACE INTO outbox_read_backs (event_id, relay, kind, pubkey, d, created_at, "
      "json, due_ms, counted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT seconds FROM "
      "outbox_clock))");
  add.bind(event.id.view()).bind(std::string_view(relay.text())).bind(int64_t{event.kind});
  add.bind(event.pubkey.view());
  const auto address = address_of(event);
  add.bind_optional(address ? std::optional(address->d) : std::nullopt);
  add.bind(event.created_at.value).bind(std::string_view(to_json(event))).bind(due.value);
  if (auto added = add.run(); !added) return fail(added.error());
  auto bound = db.prepare(
      "DELETE FROM outbox_read_backs WHERE number <= "
      "(SELECT max(number) FROM outbox_read_backs) - ?");
  return done(bound.bind(kMaxOwed).run());
}

Result<bool> settle_read_back(store::Database& db, const EventId& id, const RelayUrl& relay) {
  auto s = db.prepare("DELETE FROM outbox_read_backs WHERE event_id = ? AND relay = ?");
  const auto gone = s.bind(id.view()).bind(std::string_view(relay.text())).run();
  if (!gone) return fail(gone.error());
  return *gone > 0;
}

Result<std::vector<RelayUrl>> load_read_back_relays(store::Database& db) {
  std::vector<RelayUrl> out;
  auto s = db.prepare("SELECT DISTINCT relay FROM outbox_read_backs");
  while (s.step()) {
    if (auto relay = RelayUrl::parse(s.text(0))) out.push_back(std::move(*relay));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::vector<OwedReadBack>> load_read_backs(store::Database& db, const RelayUrl& relay,
                                                  int64_t after, int64_t most) {
  std::vector<OwedReadBack> out;
  auto s = db.prepare(
      "SELECT number, json, due_ms FROM outbox_read_backs WHERE relay = ? AND number > ? ORDER BY "
      "number LIMIT ?");
  s.bind(std::string_view(relay.text())).bind(after).bind(most);
  while (s.step()) {
    auto event = parse_event(s.text(1));
    if (event && verify(*event)) out.push_back({s.integer(0), std::move(*event), {s.integer(2)}});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status drop_read_backs(store::Database& db, const Address& address) {
  auto s = db.prepare("DELETE FROM outbox_read_backs WHERE pubkey = ? AND kind = ? AND d = ?");
  s.bind(address.pubkey.view()).bind(int64_t{address.kind}).bind(std::string_view(address.d));
  return done(s.run());
}

Status drop_read_backs(store::Database& db, const Deletion& deletion) {
  std::vector<int64_t> numbers;
  auto s = db.prepare(
      "SELECT number, event_id, kind, d, created_at FROM outbox_read_backs WHERE pubkey = ?");
  s.bind(deletion.author().view());
  while (s.step()) {
    const Bytes bytes = s.blob(1);
    if (bytes.size() != EventId::kSize) continue;
    const auto d = s.is_null(3) ? std::nullopt : std::optional(s.text(3));
    if (deletion.covers(EventId::from(bytes), static_cast<int>(s.integer(2)), d, {s.integer(4)}))
      numbers.push_back(s.integer(0));
  }
  if (!s.status()) return s.status();
  for (const int64_t number : numbers) {
    auto drop = db.prepare("DELETE FROM outbox_read_backs WHERE number = ?");
    if (auto dropped = done(drop.bind(number).run()); !dropped) return dropped;
  }
  return {};
}

Status expire_read_backs(store::Database& db) {
  auto s = db.prepare(
      "DELETE FROM outbox_read_backs WHERE counted_at < (SELECT seconds FROM outbox_clock) - ?");
  return done(s.bind(kMaxAge).run());
}

}  // namespace ipnscast::nostr
