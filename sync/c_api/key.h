#pragma once

#include "ipnscast/sync/c_api/ipnscast.h"
#include "ipnscast/sync/keys/key_store.h"

// The handle of a key.
struct ipnscast_key {
  ipnscast::sync::StoredKey stored;
  ipnscast::sync::IpnsKey ipns;
  std::string name;
  std::string author;  // empty: no Nostr key
};
