#include "ipnscast/nostr/outbox/limits_store.h"

#include <algorithm>

namespace ipnscast::nostr {

const char* const kLimitsTable = R"sql(
CREATE TABLE relay_limits (
  number        INTEGER PRIMARY KEY AUTOINCREMENT,
  relay         TEXT NOT NULL UNIQUE,
  subscriptions INTEGER,           -- at a time; null: not known
  list          INTEGER NOT NULL,  -- values in one list of a filter
  filters       INTEGER NOT NULL,  -- in one REQ
  bytes         INTEGER NOT NULL,  -- of all filters of one REQ
  learned_at    INTEGER NOT NULL   -- seconds since 1970
);
)sql";

namespace {

constexpr int64_t kMaxKnownRelays = 1000;
constexpr int64_t kBelievedSeconds = 30 * 86'400;

size_t within(int64_t stored, size_t most) {
  return static_cast<size_t>(std::clamp<int64_t>(stored, 1, static_cast<int64_t>(most)));
}

}  // namespace

Result<std::map<RelayUrl, LearnedLimits>> load_limits(store::Database& db, UnixSeconds now) {
  std::map<RelayUrl, LearnedLimits> out;
  auto s = db.prepare(
      "SELECT relay, subscriptions, list, filters, bytes FROM relay_limits "
      "WHERE learned_at BETWEEN ? AND ?");
  s.bind(now.value - kBelievedSeconds).bind(now.value + kBelievedSeconds);
  while (s.step()) {
    auto relay = RelayUrl::parse(s.text(0));
    if (!relay) continue;
    LearnedLimits limits;
    if (!s.is_null(1)) limits.subscriptions = within(s.integer(1), 1'000'000);
    limits.requests.max_list = within(s.integer(2), limits.requests.max_list);
    limits.requests.max_filters = within(s.integer(3), limits.requests.max_filters);
    limits.requests.max_bytes = within(s.integer(4), limits.requests.max_bytes);
    out.emplace(std::move(*relay), limits);
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status save_limits(store::Database& db, const RelayUrl& relay, const LearnedLimits& limits,
                   UnixSeconds now) {
  auto drop = db.prepare("DELETE FROM relay_limits WHERE relay = ?");
  if (auto done = drop.bind(std::string_view(relay.text())).run(); !done) return fail(done.error());
  if (limits == LearnedLimits{}) return {};
  auto add = db.prepare(
      "INSERT INTO relay_limits (relay, subscriptions, list, filters, bytes, learned_at) "
      "VALUES (?, ?, ?, ?, ?, ?)");
  std::optional<int64_t> subscriptions;
  if (limits.subscriptions) subscriptions = static_cast<int64_t>(*limits.subscriptions);
  add.bind(std::string_view(relay.text())).bind_optional(subscriptions);
  add.bind(static_cast<int64_t>(limits.requests.max_list));
  add.bind(static_cast<int64_t>(limits.requests.max_filters));
  add.bind(static_cast<int64_t>(limits.requests.max_bytes)).bind(now.value);
  if (auto done = add.run(); !done) return fail(done.error());
  auto bound = db.prepare(
      "DELETE FROM relay_limits WHERE number <= (SELECT max(number) FROM relay_limits) - ?");
  if (auto done = bound.bind(kMaxKnownRelays).run(); !done) return fail(done.error());
  return {};
}

}  // namespace ipnscast::nostr
