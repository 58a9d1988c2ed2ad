#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::nostr {

using EventId = FixedBytes<32, struct EventIdTag>;
using PublicKey = FixedBytes<32, struct PublicKeyTag>;  // x-only, BIP-340
using Signature = FixedBytes<64, struct SignatureTag>;  // BIP-340
using Tag = std::vector<std::string>;

// Bounds on one event from outside, checked before it becomes an Event.
struct EventLimits {
  size_t max_bytes = 512 * 1024;  // of its JSON text
  size_t max_tags = 5000;
  size_t max_tag_items = 1000;  // in one tag
  size_t max_depth = 16;        // of its JSON, unknown members included
};

// What gets signed. NIP-01.
struct UnsignedEvent {
  UnixSeconds created_at;
  int kind = 0;  // 0..65535
  std::vector<Tag> tags;
  std::string content;  // UTF-8
};

// A signed event. Holding one says nothing about its validity: see verify().
struct Event {
  EventId id;
  PublicKey pubkey;
  UnixSeconds created_at;
  int kind = 0;
  std::vector<Tag> tags;
  std::string content;
  Signature sig;

  // The second item of the first tag with this name, or nothing. NIP-01: only the first counts.
  std::optional<std::string_view> tag(std::string_view name) const;
  bool operator==(const Event&) const = default;
};

// NIP-01's ranges. Other kinds count as regular.
enum class KindClass { regular, replaceable, ephemeral, addressable };
KindClass kind_class(int kind);

// What names a replaceable or addressable event: (kind, pubkey, d); d is "" for replaceable ones
// and when missing.
struct Address {
  int kind = 0;
  PublicKey pubkey;
  std::string d;
  auto operator<=>(const Address&) const = default;
};
std::optional<Address> address_of(const Event& event);

// True when `a` takes the place of `b` at the same address: later created_at, then lower id.
// NIP-01.
bool supersedes(const Event& a, const Event& b);

// The canonical text whose SHA-256 is the id: [0,pubkey,created_at,kind,tags,content], no white
// space, other control characters as \u00xx in lower case (what JSON.stringify, serde and go-nostr
// write).
std::string canonical_text(const PublicKey& pubkey, const UnsignedEvent& event);
EventId compute_id(const Event& event);

// True when the text can be signed so that every implementation computes the same id: valid UTF-8
// without control characters other than \n \r \t \b \f. publish() refuses others.
Status check_publishable(const UnsignedEvent& event);

// Strict parse of one event object: all seven members with NIP-01's types, lower-case hex,
// created_at an integer, kind 0..65535, valid UTF-8, no duplicate member; unknown members are
// ignored. Errc::parse or Errc::too_large.
Result<Event> parse_event(std::string_view json, const EventLimits& limits = {});
std::string to_json(const Event& event);

// The same for what is to be signed: kind is needed; created_at is `now`, tags are none and content
// is empty where they are missing. id, pubkey and sig are ignored as other unknown members are.
Result<UnsignedEvent> parse_unsigned_event(std::string_view json, UnixSeconds now,
                                           const EventLimits& limits = {});

// The id matches the fields and the signature holds. Errc::signature with "id: ..." or "sig: ...".
// Thread-safe.
Status verify(const Event& event);

}  // namespace ipnscast::nostr
