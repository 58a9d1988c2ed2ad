#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// What publishing holds at nodes and still owes to them and to routers: tables of the "sync" layer
// beside those of state_store.h. Each function runs inside a job of the store's Writer.

// versions: the values that our names had. The current one and so many before it are wanted.
// `root` becomes the name's newest; those beyond `former` before it are forgotten.
Status add_version(store::Database& db, const IpnsName& name, const Cid& root, size_t former);
// Newest first.
Result<std::vector<Cid>> load_versions(store::Database& db, const IpnsName& name);
// The versions of every name of ours that has this root among them: what a node that is to get it
// may have already.
Result<std::vector<Cid>> load_relatives(store::Database& db, const Cid& root);

// pins: roots that a node keeps because of us, or may keep from now on. Noted before anything is
// done at the node, so that nothing stays there unknown to us.
struct Pin {
  std::string node;  // URL
  Cid root;
};
// Nothing changes when it is noted already.
Status note_pin(store::Database& db, const Pin& pin);
// The node has all of it, checked.
Status finish_pin(store::Database& db, const Pin& pin);
Status drop_pin(store::Database& db, const Pin& pin);
// Current versions that a node does not have yet.
Result<std::vector<Pin>> load_missing_pins(store::Database& db);
// Current versions that nodes are to get, and none has.
Result<std::vector<Cid>> load_unplaced_versions(store::Database& db);
// Pins that no version of any name of ours wants.
Result<std::vector<Pin>> load_unwanted_pins(store::Database& db);

// owed_records: places that lack the record that we signed last.
struct OwedRecord {
  IpnsName name;
  std::string place;  // URL
};
Status owe_record(store::Database& db, const OwedRecord& owed);
// Nobody is to get what was owed under this name.
Status drop_owed_records(store::Database& db, const IpnsName& name);
// The place has this record, or a better one. Does nothing when a newer one of ours is owed by now.
Status settle_record(store::Database& db, const OwedRecord& owed, ByteView record);
Result<std::vector<OwedRecord>> load_owed_records(store::Database& db);

}  // namespace ipnscast::sync
