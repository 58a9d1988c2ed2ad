#pragma once

#include <variant>

#include "ipnscast/nostr/event/keys.h"

// NIP-19: keys, ids and pointers as bech32 text for people.
namespace ipnscast::nostr {

// nprofile: a key and relays where it may be found.
struct ProfilePointer {
  PublicKey pubkey;
  std::vector<std::string> relays;
  bool operator==(const ProfilePointer&) const = default;
};

// nevent
struct EventPointer {
  EventId id;
  std::vector<std::string> relays;
  std::optional<PublicKey> author;
  std::optional<uint32_t> kind;
  bool operator==(const EventPointer&) const = default;
};

// naddr: a replaceable or addressable event.
struct AddressPointer {
  Address address;
  std::vector<std::string> relays;
  bool operator==(const AddressPointer&) const = default;
};

std::string encode_npub(const PublicKey& key);
std::string encode_note(const EventId& id);
// The caller shows it to its owner only.
std::string encode_nsec(const SecretKey& key);

// Errc::too_large when a relay or d is longer than the 255 bytes that the format can hold, or the
// text than 5000 characters; Errc::invalid for a kind beyond 65535.
Result<std::string> encode(const ProfilePointer& pointer);
Result<std::string> encode(const EventPointer& pointer);
Result<std::string> encode(const AddressPointer& pointer);

// What a text means that is no secret: npub gives PublicKey, note EventId, the others their
// pointer. "nostr:" before it is ignored (NIP-21); unknown TLVs are skipped, of repeated single
// ones the first counts. Relays come as written: they are claims, to be parsed as RelayUrl.
// Errc::parse, Errc::too_large; Errc::unsupported for another prefix, nsec included.
using Nip19 = std::variant<PublicKey, EventId, ProfilePointer, EventPointer, AddressPointer>;
Result<Nip19> decode_nip19(std::string_view text);

// npub1... or 64 hex digits of either case. Errc::parse.
Result<PublicKey> parse_public_key(std::string_view text);

// nsec1.... Errc::parse, Errc::invalid.
Result<SecretKey> decode_nsec(std::string_view text);

}  // namespace ipnscast::nostr
