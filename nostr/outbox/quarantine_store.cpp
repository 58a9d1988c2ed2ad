#include "ipnscast/nostr/outbox/quarantine_store.h"

#include <algorithm>

namespace ipnscast::nostr {

const char* const kStandingsTable = R"sql(
CREATE TABLE relay_standings (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  relay  TEXT NOT NULL UNIQUE,
  losses INTEGER NOT NULL,
  next   INTEGER NOT NULL,  -- milliseconds
  until  INTEGER NOT NULL   -- seconds since 1970; 0: not put away
);
)sql";

namespace {

constexpr int64_t kMaxStandings = 1000;

}  // namespace

Result<std::map<RelayUrl, RelayStanding>> load_standings(store::Database& db, UnixSeconds now) {
  std::map<RelayUrl, RelayStanding> out;
  auto s = db.prepare("SELECT relay, losses, next, until FROM relay_standings");
  while (s.step()) {
    auto relay = RelayUrl::parse(s.text(0));
    if (!relay) continue;
    RelayStanding standing;
    standing.losses = static_cast<size_t>(std::max<int64_t>(s.integer(1), 0));
    standing.next = Milliseconds(std::max<int64_t>(s.integer(2), 0));
    const Milliseconds left = Seconds(s.integer(3) - now.value);
    standing.left = std::clamp(left, Milliseconds(0), standing.next);
    out.emplace(std::move(*relay), standing);
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status save_standing(store::Database& db, const RelayUrl& relay, const RelayStanding& standing,
                     UnixSeconds now) {
  auto drop = db.prepare("DELETE FROM relay_standings WHERE relay = ?");
  if (auto done = drop.bind(std::string_view(relay.text())).run(); !done) return fail(done.error());
  if (standing == RelayStanding{}) return {};
  auto add =
      db.prepare("INSERT INTO relay_standings (relay, losses, next, until) VALUES (?, ?, ?, ?)");
  const int64_t left = std::chrono::ceil<Seconds>(standing.left).count();
  add.bind(std::string_view(relay.text())).bind(static_cast<int64_t>(standing.losses));
  add.bind(standing.next.count()).bind(left > 0 ? now.value + left : 0);
  if (auto done = add.run(); !done) return fail(done.error());
  auto bound = db.prepare(
      "DELETE FROM relay_standings WHERE number <= (SELECT max(number) FROM relay_standings) - ?");
  if (auto done = bound.bind(kMaxStandings).run(); !done) return fail(done.error());
  return {};
}

}  // namespace ipnscast::nostr
