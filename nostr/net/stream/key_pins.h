#pragma once

#include <map>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr::net {

// SHA-256 of a certificate's SubjectPublicKeyInfo in DER, as RFC 7469 section 2.4 defines it.
using KeyPin = FixedBytes<32, struct KeyPinTag>;

// "sha256/" and the base64 of the pin.
std::string to_text(const KeyPin& pin);

// The public keys that relays must show. A pinned key is proof enough by itself: the certificate
// may be self-signed or expired and bear any name. Without it even a certificate that an authority
// signed is refused. Only the relay's own key counts, not that of an authority above it.
class KeyPins {
 public:
  // Each text is "sha256/BASE64", for all relays, or "wss://RELAY sha256/BASE64", for that one.
  // Errc::invalid.
  static Result<KeyPins> parse(const std::vector<std::string>& texts);

  // The relay's own if it has any, else those for all; empty when none is pinned.
  const std::vector<KeyPin>& of(const RelayUrl& relay) const;

 private:
  std::vector<KeyPin> all_;
  std::map<RelayUrl, std::vector<KeyPin>> own_;
};

}  // namespace ipnscast::nostr::net
