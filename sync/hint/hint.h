#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// The meaning of an addressable Nostr event that says "this name now has that value". DESIGN, "The
// hint on the wire":
//
//   tags     ["d","ipns-sync-<name>"] ["t","<topic>"] ["cid","<cid>"] ["seq","<decimal>"]
//   content
//   {"type":"ipns-sync","ipnsName","cid","sequence","timestamp","v","version","deviceId","parent","record"}
//
// Everything in it is a claim, also the record, until verify_record() has passed. All functions
// here are pure.

// Own devices use the first kind, announcements for others both.
inline constexpr int kHintKind = 30078;
inline constexpr int kPublicHintKind = 30079;
inline constexpr std::string_view kDefaultTopic = "ipns-sync";
// What older publishers use.
inline constexpr std::string_view kLegacyTopic = "unicity-wallet-sync";

// Bounds on a hint from outside.
struct HintLimits {
  size_t max_content = 64 * 1024;
  size_t max_text = 256;  // device id, spelled names and CIDs
};

// What in a well-formed hint counts against its author although the hint is used.
struct HintFaults {
  bool name_differs = false;  // content.ipnsName is another name than d, or none at all
  bool cid_tags = false;      // a cid tag that is repeated or differs from the content (R24)
  bool bad_record = false;    // a record member that cannot be one
  bool any() const { return name_differs || cid_tags || bad_record; }
};

struct Hint {
  IpnsName name;
  Cid cid;
  std::optional<Sequence> sequence;  // nothing: absent or 0, which both mean unknown (S0-44)
  Bytes record;          // of the signed IPNS record, unverified; empty when there is none (S0-74)
  UnixMillis timestamp;  // 0: not given
  uint64_t version = 0;  // the publisher's own count of syncs; 0: not given
  std::string device_id;
  std::optional<Cid> parent;  // what the publisher's value was before
  nostr::PublicKey author;
  nostr::EventId event_id;
  UnixSeconds created_at;
  int kind = 0;
  HintFaults faults;
};

// Reads a hint from an event whose signature was verified. The name comes from d, in any spelling;
// the CID from the content. Unknown members are ignored, optional ones of a wrong type read as
// absent; `publisherPeerId` reads as the device id. Errc::mismatch when the event is no hint at all
// (another d or type), Errc::parse for a malformed one, Errc::too_large beyond the limits or for a
// sequence of 2^63 or more.
Result<Hint> parse_hint(const nostr::Event& event, const HintLimits& limits = {});

// The same for a hint whose text was encrypted and therefore stands in no tag: `text` is what the
// content says, and the name is its ipnsName (Errc::parse when it has none).
Result<Hint> parse_hint_text(const nostr::Event& event, std::string_view text,
                             const HintLimits& limits = {});

// The sequence that an unverified event claims, for the rule which copies of an address a verifier
// may skip. Nothing when it cannot be read or parse_hint() would refuse the content, so that an
// unusable hint never stands in for an older one: then verify.
std::optional<Sequence> claimed_sequence(const nostr::Event& event, const HintLimits& limits = {});

// What a publisher says.
struct HintDraft {
  IpnsName name;
  Cid cid;
  Sequence sequence;
  UnixMillis timestamp;
  uint64_t version = 0;   // 0: left out
  std::string device_id;  // empty: left out
  std::optional<Cid> parent;
  Bytes record;  // empty: left out
  int kind = kHintKind;
  std::string topic{kDefaultTopic};  // "{name}" stands for the canonical name (S0-33)
};

// What the event's content says. Errc::invalid for a sequence of 2^63 or more or a record beyond
// IpnsRecord::kMaxBytes.
Result<std::string> make_hint_text(const HintDraft& draft);
// The event to sign. Errors of make_hint_text().
Result<nostr::UnsignedEvent> make_hint_event(const HintDraft& draft, UnixSeconds created_at);

// "ipns-sync-" and the canonical name: the d tag that we write.
std::string hint_d(const IpnsName& name);

// What one filter may ask for on the relays that are most in use (strfry's defaults).
struct HintFilterLimits {
  size_t max_results = 500;           // hints that one filter can match
  size_t max_item_bytes = 48 * 1024;  // of d values in one filter
  uint32_t open_limit = 50;           // stored hints per filter when any author is asked for
};

// Filters for the hints of `names`, in as many pieces as the limits ask for. Without authors:
// anybody's, limited. `compat`: also the base58 and base32 spellings that others write. A REQ takes
// 200 of these at most.
std::vector<nostr::Filter> hint_filters(const std::vector<IpnsName>& names,
                                        const std::vector<nostr::PublicKey>& authors,
                                        const std::vector<int>& kinds, bool compat,
                                        const HintFilterLimits& limits = {});

}  // namespace ipnscast::sync
