#pragma once

#include <optional>
#include <string>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::sync {

// Somebody says that a name changed. `record` only when it has been verified for the name.
struct News {
  IpnsName name;
  Cid cid;
  std::optional<Sequence> sequence;
  std::optional<nostr::PublicKey> author;  // nothing: a source without signatures (push servers)
  std::optional<nostr::EventId> event_id;
  std::optional<nostr::Address> address{};  // of the event, and its time
  UnixSeconds created_at{};
  std::string device_id;
  bool at_fault = false;  // the hint has faults, or its record did not verify
  SourceId source;
  std::optional<KnownRecord> record;
};

// A source came or went.
struct SourceHealth {
  SourceId source;
  bool healthy = false;
};

// A verified record that nobody asked for: pubsub, w3name, push servers.
struct RecordArrived {
  IpnsName name;
  KnownRecord record;
  SourceId source;
};

News news_from(const Hint& hint, SourceId source, std::optional<KnownRecord> verified,
               bool bad_record);

}  // namespace ipnscast::sync
