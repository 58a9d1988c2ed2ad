#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/event/filter.h"

namespace ipnscast::nostr::server {

// NIP-78's application data, which owner-private mode keeps to its author.
constexpr int kPrivateKind = 30078;

// Who asks. Nobody sees more than this, in answers, counts and reconciliations alike.
struct Viewer {
  // Unset: everything. Otherwise events of kPrivateKind by these authors only.
  std::optional<std::vector<PublicKey>> private_authors;
};

// Statements over the events that satisfy a filter, are not expired by `now` and are for the
// viewer's eyes, with everything bound. The filter is within its FilterLimits.
struct RelayQuery {
  const Filter& filter;
  UnixSeconds now;
  const Viewer& viewer;

  // (id, created_at, json): newest first, ties lowest id first, `limit` rows at most.
  store::Statement events(store::Database& db, uint32_t limit) const;
  // Its text, for a look at SQLite's plan.
  std::string events_text() const;
  // (id, created_at): the same, for a reconciliation.
  store::Statement ids(store::Database& db, uint32_t limit) const;
  // (seq), in no order, `limit` rows at most.
  store::Statement sequences(store::Database& db, uint32_t limit) const;
};

}  // namespace ipnscast::nostr::server
