#pragma once

#include <optional>
#include <vector>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// Members of a record's signed data beyond the five of the specification (IPNS record spec,
// "Extensible Data") that we write on request and read. Both are claims of the name's owner: true
// about nothing else. In DAG-CBOR:
//
//   "_nostr": {"pubkey": 32 bytes, "relays": [text, ...]}   who announces the name, and where
//   "_prev":  link                                          the root of the value before

struct Announcer {
  nostr::PublicKey pubkey;
  std::vector<nostr::RelayUrl> relays;  // wss only, eight at most
  bool operator==(const Announcer&) const = default;
};

// Relays beyond the eighth, and those that are not wss, are left out.
Bytes encode_announcer(const Announcer& announcer);
// Nothing when there is none, or it has another form. A key in 64 hex digits is read too; relays
// that are no wss URLs are passed over.
std::optional<Announcer> announcer_of(const IpnsRecord::Fields& fields);

Bytes encode_previous(const Cid& root);
std::optional<Cid> previous_of(const IpnsRecord::Fields& fields);

inline constexpr char kAnnouncerKey[] = "_nostr";
inline constexpr char kPreviousKey[] = "_prev";

}  // namespace ipnscast::sync
