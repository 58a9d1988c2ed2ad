#include "nostr/server/relay_query.h"

#include <string>

namespace ipnscast::nostr::server {
namespace {

std::string in_list(size_t count) {
  std::string out = " IN (?";
  for (size_t i = 1; i < count; ++i) out += ",?";
  return out + ")";
}

// The list that narrows most leads the search: ids, then tags, then authors (with kinds), then
// kinds, else time. A '+' before a column keeps SQLite from taking its index instead, which it
// would guess at without statistics.
std::string where_clause(const Filter& filter) {
  std::string where;
  bool led = false;
  const auto add = [&](const std::string& term) {
    where += where.empty() ? " WHERE " : " AND ";
    if (led) where += '+';
    where += term;
  };
  if (!filter.ids.empty()) {
    add("id" + in_list(filter.ids.size()));
    led = true;
  }
  for (const auto& [name, values] : filter.tags) {
    add("seq IN (SELECT event FROM tags WHERE name = ? AND value" + in_list(values.size()) + ")");
    led = true;
  }
  if (!filter.authors.empty()) add("pubkey" + in_list(filter.authors.size()));
  if (!filter.kinds.empty()) add("kind" + in_list(filter.kinds.size()));
  if (filter.since) add("created_at >= ?");
  if (filter.until) add("created_at <= ?");
  led = false;
  add("(expires_at IS NULL OR expires_at > ?)");
  return where;
}

}  // namespace

store::Statement select_events(store::Database& db, const Filter& filter, uint32_t limit,
                               UnixSeconds now) {
  auto select = db.prepare("SELECT id, created_at, json FROM events" + where_clause(filter) +
                           " ORDER BY created_at DESC, id ASC LIMIT ?");
  for (const EventId& id : filter.ids) select.bind(id.view());
  for (const auto& [name, values] : filter.tags) {
    select.bind(std::string_view(&name, 1));
    for (const std::string& value : values) select.bind(as_bytes(value));
  }
  for (const PublicKey& author : filter.authors) select.bind(author.view());
  for (const int kind : filter.kinds) select.bind(int64_t{kind});
  if (filter.since) select.bind(filter.since->value);
  if (filter.until) select.bind(filter.until->value);
  select.bind(now.value).bind(int64_t{limit});
  return select;
}

}  // namespace ipnscast::nostr::server
