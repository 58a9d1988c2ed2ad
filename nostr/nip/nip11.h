#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/event.h"

// NIP-11: what a relay says about itself. Claims, never proof: limits are kept to, support is tried
// out.
namespace ipnscast::nostr {

struct RelayInformation {
  std::string name;
  std::string description;
  std::string software;
  std::string version;
  std::optional<PublicKey> pubkey;  // of its operator
  std::optional<PublicKey> self;    // of the relay
  std::vector<int> supported_nips;

  // Limits; nothing where the relay names none, or none that makes sense.
  std::optional<uint64_t> max_message_length;  // bytes of a whole frame
  std::optional<uint64_t> max_subscriptions;
  std::optional<uint64_t> max_subid_length;  // characters
  std::optional<uint64_t> max_limit;
  std::optional<uint64_t> default_limit;
  std::optional<uint64_t> max_event_tags;
  std::optional<uint64_t> max_content_length;  // Unicode characters
  std::optional<uint64_t> min_pow_difficulty;
  std::optional<uint64_t> created_at_lower_limit;  // seconds back from now
  std::optional<uint64_t> created_at_upper_limit;  // seconds ahead of now
  bool auth_required = false;
  bool payment_required = false;
  bool restricted_writes = false;
};

constexpr size_t kMaxRelayInformation = 64 * 1024;

// Lenient, as the document is optional in all its parts: a member of another type counts as absent,
// unknown ones are ignored, long texts are cut to 1000 bytes. Errc::parse when it is no JSON
// object, Errc::too_large.
Result<RelayInformation> parse_relay_information(std::string_view json);

// Large relays write 0 for what they do not limit: such a limit is none.
void drop_zero_limits(RelayInformation& information);

}  // namespace ipnscast::nostr
