#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/sync/change/version.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// What is known of a name: the facts of one record that has been verified for it. Make one from an
// IpnsRecord, or read one back from the state file; nothing else vouches for it.
struct KnownRecord {
  Sequence sequence;
  std::string value;
  Eol eol;
  Bytes data;   // the signed CBOR: the last tie-break
  Bytes bytes;  // the whole record, for handing it on
  Version version() const { return {sequence, value}; }
  bool operator==(const KnownRecord&) const = default;
};

KnownRecord known_record(const IpnsRecord& record);

// The order that every device agrees on: higher sequence, then later EOL, then greater signed data
// (S0-16, S0-25).
bool wins_over(const KnownRecord& a, const KnownRecord& b);

bool expired(const KnownRecord& record, UnixMillis now);

// The root of "/ipfs/<cid>[/path]", as version 1. Nothing for "/ipns/..." and what does not parse.
std::optional<Cid> root_of(std::string_view value);

// "/ipfs/<cid>": the value that a claim about this CID amounts to.
std::string value_of(const Cid& cid);

}  // namespace ipnscast::sync
