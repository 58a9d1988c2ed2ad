#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {

// Kinds of change and of source are stored as the position in their enum (client.h), which only
// ever grows at its end.
store::Schema sync_schema() {
  return {"sync",
          {{1, R"sql(
CREATE TABLE sync_names(
  name BLOB PRIMARY KEY,            -- multihash
  watched INTEGER NOT NULL,
  fetch_content INTEGER NOT NULL,
  sequence INTEGER,                 -- of the verified record, with the five below; NULL: nothing known
  value TEXT,
  eol_seconds INTEGER,
  eol_nanoseconds INTEGER,
  data BLOB,                        -- its signed CBOR
  record BLOB,                      -- the whole of it
  stale INTEGER NOT NULL,
  loser TEXT,
  source INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  author BLOB,
  unconfirmed INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  handed_sequence INTEGER,          -- NULL: nothing handed over yet
  handed_value TEXT,
  handed_cid TEXT,
  owed INTEGER,
  expiry_owed INTEGER,
  provisional_cid TEXT,
  provisional_author BLOB,
  provisional_since_ms INTEGER,
  withdraw_owed TEXT,
  failures INTEGER NOT NULL,
  retry_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sync_names_watched ON sync_names(watched) WHERE watched = 1;
CREATE TABLE sync_own_names(
  name BLOB PRIMARY KEY,
  sequence INTEGER NOT NULL,
  value TEXT NOT NULL,
  version INTEGER NOT NULL,
  record BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE sync_created_at(
  kind INTEGER NOT NULL,
  pubkey BLOB NOT NULL,
  d TEXT NOT NULL,
  mark INTEGER NOT NULL,
  PRIMARY KEY(kind, pubkey, d)
) WITHOUT ROWID;
CREATE TABLE sync_sent(
  id BLOB PRIMARY KEY,
  kind INTEGER NOT NULL,
  pubkey BLOB NOT NULL,
  d TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sync_sent_address ON sync_sent(kind, pubkey, d, created_at);
CREATE TABLE sync_settings(
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
)sql"},
           {2, R"sql(
CREATE TABLE sync_versions(         -- roots that names of ours had; the highest number is current
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name BLOB NOT NULL,               -- multihash
  root BLOB NOT NULL                -- CID, version 1
);
CREATE INDEX sync_versions_name ON sync_versions(name, number);
CREATE INDEX sync_versions_root ON sync_versions(root);
CREATE TABLE sync_pins(             -- roots that nodes keep because of us, or may keep
  node TEXT NOT NULL,
  root BLOB NOT NULL,
  done INTEGER NOT NULL,            -- the node has it, checked
  PRIMARY KEY(node, root)
) WITHOUT ROWID;
CREATE TABLE sync_owed_records(     -- who lacks the record of sync_own_names
  name BLOB NOT NULL,
  place TEXT NOT NULL,
  PRIMARY KEY(name, place)
) WITHOUT ROWID;
)sql"},
           {3, R"sql(
CREATE TABLE sync_gateways(
  url TEXT PRIMARY KEY,
  answers INTEGER NOT NULL,         -- thousandths, with the next two
  failures INTEGER NOT NULL,
  lies INTEGER NOT NULL,
  latencies TEXT NOT NULL,          -- milliseconds, the oldest first
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
)sql"},
           {4, kRetractedTable}}};
}

}  // namespace ipnscast::sync
