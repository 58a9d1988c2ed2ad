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
           {4, kRetractedTable},
           // What earlier versions knew of a name of ours becomes its base, so that the first
           // publish after the upgrade asks nothing.
           {5, R"sql(
CREATE TABLE sync_writers(          -- names that this device writes, or may write
  name BLOB PRIMARY KEY,            -- multihash
  tag BLOB NOT NULL,                -- of this device, for this name; zero: not known yet
  count INTEGER NOT NULL,           -- of own publishes, tentative ones too; never given again
  highest INTEGER NOT NULL,         -- sequence that was signed here
  base_sequence INTEGER,            -- what was taken in last; NULL: nothing
  base_value TEXT,
  base_vector BLOB,                 -- DAG-CBOR as in the record's _vv; NULL: unknown
  known BLOB,                       -- the best record
  known_vector BLOB,
  contested_sequence INTEGER,       -- for which two values are known
  contested_loser TEXT,
  owed BLOB,                        -- the record that this device brings to all places
  owed_vector BLOB,
  before_queue BLOB,                -- the best record when the first queued publish was made
  before_queue_vector BLOB
) WITHOUT ROWID;
CREATE TABLE sync_own_publishes(
  name BLOB NOT NULL,
  tag BLOB NOT NULL,                -- under which it is compared
  count INTEGER NOT NULL,
  number INTEGER NOT NULL,          -- their order
  sequence INTEGER NOT NULL,
  value TEXT NOT NULL,
  record BLOB NOT NULL,
  vector BLOB,
  state INTEGER NOT NULL,           -- OwnPublish::State
  queued INTEGER NOT NULL,
  expected INTEGER,                 -- compare-and-set
  made_on_sequence INTEGER,
  made_on_value TEXT,
  twin_tag BLOB,
  twin_count INTEGER,
  theirs BLOB,                      -- the record that displaced it
  theirs_vector BLOB,
  certain INTEGER NOT NULL,
  told INTEGER NOT NULL,
  PRIMARY KEY(name, tag, count)
) WITHOUT ROWID;
ALTER TABLE sync_names ADD COLUMN taken_sequence INTEGER;  -- what the application has taken in
ALTER TABLE sync_names ADD COLUMN taken_value TEXT;
ALTER TABLE sync_names ADD COLUMN ahead BLOB;  -- an expired record that is better than the good one
UPDATE sync_names SET taken_sequence = handed_sequence, taken_value = handed_value;
INSERT INTO sync_writers(name, tag, count, highest, base_sequence, base_value, known)
  SELECT o.name, zeroblob(8), 0, o.sequence,
    iif(h.handed_sequence IS NULL OR o.sequence >= h.handed_sequence,
        o.sequence, h.handed_sequence),
    iif(h.handed_sequence IS NULL OR o.sequence >= h.handed_sequence, o.value, h.handed_value),
    iif(h.record IS NULL OR o.sequence > h.sequence, o.record, h.record)
  FROM sync_own_names AS o LEFT JOIN sync_names AS h ON h.name = o.name;
)sql"},
           {6, R"sql(
ALTER TABLE sync_names ADD COLUMN rejected_sequence INTEGER;  -- refused by the application
ALTER TABLE sync_names ADD COLUMN rejected_value TEXT;
)sql"},
           // What earlier versions knew of a name becomes the first version of its history. When
           // the application took it, they did not note.
           {7, R"sql(
CREATE TABLE sync_history(          -- versions of followed names that were heard and proved
  name BLOB NOT NULL,               -- multihash
  number INTEGER NOT NULL,          -- without gaps, in the order in which they were heard
  sequence INTEGER NOT NULL,
  value TEXT NOT NULL,
  record BLOB NOT NULL,
  loser TEXT,                       -- of a conflict
  source INTEGER NOT NULL,
  author BLOB,
  seen_ms INTEGER NOT NULL,
  use INTEGER NOT NULL,             -- 0: not handed over, 1: the application took it, 2: refused it
  handed_ms INTEGER,                -- when it did
  PRIMARY KEY(name, number)
) WITHOUT ROWID;
ALTER TABLE sync_names ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;   -- number of the record
ALTER TABLE sync_names ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;  -- what the application has
ALTER TABLE sync_names ADD COLUMN replay_next INTEGER;
ALTER TABLE sync_names ADD COLUMN replay_last INTEGER;
UPDATE sync_names SET heard = 1, passed = (owed IS NULL) WHERE sequence IS NOT NULL;
INSERT INTO sync_history(name, number, sequence, value, record, loser, source, author, seen_ms, use)
  SELECT name, 1, sequence, value, record, loser, source, author, seen_ms,
    CASE WHEN rejected_sequence = sequence AND rejected_value = value THEN 2
         WHEN handed_value = value AND owed IS NULL THEN 1
         ELSE 0 END
  FROM sync_names WHERE sequence IS NOT NULL;
)sql"}}};
}

}  // namespace ipnscast::sync
