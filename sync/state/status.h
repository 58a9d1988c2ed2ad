#pragma once

#include <optional>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// What is known of a name right now.
struct NameStatus {
  IpnsName name;
  Sequence sequence;
  std::string value;
  std::optional<Cid> cid;
  Eol eol;
  bool stale = false;
  bool handed_over = false;
  bool own = false;       // this device published it
  bool followed = false;  // a handler is to be told of its changes
  // Of a name that is followed: over which its latest change came, whose hint that was, and when.
  SourceId source{};
  std::optional<nostr::PublicKey> author{};
  UnixMillis seen{};
};

// A version of a followed name that was heard and proved by its record.
struct HeardVersion {
  enum class Fate {
    waiting,  // for the application
    taken,    // by the application
    refused,  // by the application or its validator
    skipped,  // a newer one was handed over instead
  };
  uint64_t number = 0;  // counts the versions of the name in the order in which they were heard
  Version version;
  Bytes record;                      // the signed record, which may have expired
  std::optional<std::string> loser;  // the other value of a conflict, which lost
  SourceKind source = SourceKind::poll;
  std::optional<nostr::PublicKey> author;  // of the hint
  UnixMillis seen;
  Fate fate = Fate::waiting;
  std::optional<UnixMillis> at;  // taken or refused; nothing: not known
};

// A publish of this device that was displaced by a version which does not contain it.
struct LostPublish {
  Version ours;
  Version theirs;         // what displaced it
  bool conflict = false;  // under the same sequence
  bool certain = true;    // false: theirs does not say what it was made of
  bool told = false;      // the application knows
};

// What was learned of a gateway, in this run and those before.
struct GatewayStatus {
  std::string url;
  int score = 0;  // 0 to 100: answers, speed and honesty together
  // How often it answered, failed and lied; what is older counts less: half after a day, a lie half
  // after a week.
  double answers = 0;
  double failures = 0;
  double lies = 0;
  std::optional<Milliseconds> median;  // of its last answers
  UnixMillis at;                       // when that was so
};

// Private hints of our own key that relays gave since open().
struct PrivateHintCounters {
  uint64_t read = 0;
  uint64_t dropped = 0;  // did not decrypt, or are no hint of the name that their d hides
};

}  // namespace ipnscast::sync
