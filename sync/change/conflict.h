#pragma once

#include <filesystem>
#include <optional>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/change/version.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// A publish of this device was displaced by a version that does not contain it. The content of both
// is complete in Client::blocks().
struct Conflict {
  IpnsName name;
  Version ours;                     // the latest that is lost; what it was built on is lost with it
  Version theirs;                   // what the name has now
  std::optional<Version> common{};  // that both contain, when it is known
  Bytes our_record{};
  Bytes their_record{};
};

// What is to be done about it.
struct Resolution {
  enum class Choice {
    theirs,  // nothing is published: what is lost counts as dealt with
    ours,    // ours is published over theirs
    path,    // this file or directory is published: a merge, it counts as containing both
    cid,     // the same, for content that is complete in the cache or at our nodes
    wait,    // for a person: it is not asked about again before the next start
  };
  Choice choice = Choice::theirs;
  std::filesystem::path path{};
  std::optional<Cid> cid{};
};

}  // namespace ipnscast::sync
