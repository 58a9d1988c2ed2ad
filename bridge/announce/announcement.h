#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::bridge {

// What the bridge told the world of a name.
struct LastHint {
  sync::Sequence sequence;
  std::string value;
  sync::Eol eol;
  UnixMillis at;
  bool operator==(const LastHint&) const = default;
};

// A hint that the bridge has committed to send: it goes out now or after a restart, once.
struct Announcement {
  sync::IpnsName name;
  LastHint hint;
  sync::Cid cid;
  bool renewal = false;                // the same value with a later EOL
  bool repair = false;                 // the same again: a relay preferred an older state of ours
  std::vector<nostr::EventId> events;  // one of each kind
};

}  // namespace ipnscast::bridge
