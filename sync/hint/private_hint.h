#pragma once

#include <memory>

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/sync/hint/hint.h"

namespace ipnscast::sync {

// Hints that only our own devices can read (`private = true`). DESIGN, "The hint on the wire":
//
//   tags     ["d", hex(HMAC-SHA256(key, <the name's multihash>))], and no other
//   content  NIP-44 version 2, to the own key: what a plain hint's content says
//   key      HKDF-SHA256(secret, no salt, "ipnscast-private-d-v1"); with a remote signer 32 random
//            bytes, which are kept encrypted to the own key (private_key.h)
//
// A relay sees that the key announces something, and how often; not what. Pure; the signer is the
// caller's to ask.

inline constexpr std::string_view kPrivateKeyInfo = "ipnscast-private-d-v1";
// Of the encrypted content, before anything is decrypted: what HintLimits::max_content becomes in
// NIP-44 and base64.
inline constexpr size_t kMaxPrivatePayload = 96 * 1024;

// Turns names into their hidden d tags. Constant after construction, so any thread may use it.
class PrivateNames {
 public:
  explicit PrivateNames(SecretBytes<32> key) : key_(std::move(key)) {}

  // 64 lower-case hex digits.
  std::string d_of(const IpnsName& name) const;

 private:
  const SecretBytes<32> key_;
};

// d has the shape of a hidden one. Whether it is ours, only PrivateNames can tell.
bool is_private_d(std::string_view d);
// An event of this author that may be a private hint.
bool is_private_hint(const nostr::Event& event, const nostr::PublicKey& author);

// Errc::refused for the one name that anyone can compute from the npub: hiding it would be a
// promise that cannot be kept.
Status check_can_be_private(const IpnsName& name, const nostr::PublicKey& author);

// The event to sign around a payload: make_hint_text(), encrypted to the own key.
nostr::UnsignedEvent make_private_hint_event(std::string d, std::string payload, int kind,
                                             UnixSeconds created_at);

// Reads a verified event of our own key whose content decrypted to `text`. Errc::mismatch when the
// name inside is not the one that d hides; else as parse_hint(). The messages of these errors tell
// nothing of the text.
Result<Hint> parse_private_hint(const nostr::Event& event, std::string_view text,
                                const PrivateNames& names, const HintLimits& limits = {});

// Filters for our own private hints of `watched`, as hint_filters().
std::vector<nostr::Filter> private_hint_filters(const std::vector<IpnsName>& watched,
                                                const PrivateNames& names,
                                                const nostr::PublicKey& author,
                                                const std::vector<int>& kinds,
                                                const HintFilterLimits& limits = {});

// A filter for all plain hints of the author, without naming one: for whoever hides what it
// watches. A topic with {name} in it is left out.
nostr::Filter own_topic_filter(const nostr::PublicKey& author, const std::vector<int>& kinds,
                               const std::string& topic);

}  // namespace ipnscast::sync
