#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/secret/secret_memory.h"
#include "ipnscast/nostr/base/secret/secret_text.h"

// Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric signatures.
namespace ipnscast::tools {

// The bytes of "whsec_<base64>", with or without that beginning. Errc::invalid, without the secret
// in its message, unless they are 24 to 64.
Result<SecretMemory> read_webhook_secret(const SecretText& text);

// "v1,<base64>": the header webhook-signature of this body.
std::string webhook_signature(ByteView secret, std::string_view id, UnixSeconds timestamp,
                              std::string_view body);

}  // namespace ipnscast::tools
