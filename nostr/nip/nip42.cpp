#include "ipnscast/nostr/nip/nip42.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"

namespace ipnscast::nostr {

UnsignedEvent auth_event(const RelayUrl& relay, std::string_view challenge, UnixSeconds now) {
  return {.created_at = now,
          .kind = kAuthKind,
          .tags = {{"relay", relay.text()}, {"challenge", std::string(challenge)}},
          .content = ""};
}

Status check_auth_event(const Event& event, std::span<const RelayUrl> own,
                        std::string_view challenge, UnixSeconds now) {
  if (event.kind != kAuthKind) return fail(Errc::mismatch, "auth: want kind 22242");
  if (challenge.empty() || event.tag("challenge") != challenge) {
    return fail(Errc::mismatch, "auth: not the challenge of this connection");
  }
  const auto relay = RelayUrl::parse(event.tag("relay").value_or(""));
  if (!relay || std::find(own.begin(), own.end(), *relay) == own.end()) {
    return fail(Errc::mismatch, "auth: meant for another relay");
  }
  // Parsed events are at or after 1970, so neither difference can overflow.
  const int64_t age = now.value - event.created_at.value;
  if (age > kAuthWindow.count() || age < -kAuthWindow.count()) {
    return fail(Errc::expired, "auth: created_at is more than ten minutes off");
  }
  return {};
}

std::string make_auth_challenge() { return to_hex(random_bytes(16)); }

}  // namespace ipnscast::nostr
