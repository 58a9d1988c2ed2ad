#include "ipnscast/tools/watch/webhook_signature.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::tools {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr size_t kLeastSecret = 24;
constexpr size_t kMostSecret = 64;

}  // namespace

Result<SecretMemory> read_webhook_secret(const SecretText& text) {
  std::string_view base64 = text.view();
  if (base64.starts_with(kSecretPrefix)) base64.remove_prefix(kSecretPrefix.size());
  auto bytes = from_base64(base64, kMostSecret);
  const bool good = bytes && bytes->size() >= kLeastSecret;
  SecretMemory out(good ? bytes->size() : 0);
  if (good) std::copy(bytes->begin(), bytes->end(), out.mutable_view().begin());
  if (bytes) wipe(*bytes);
  if (good) return out;
  return fail(Errc::invalid,
              "the webhook's secret: want \"whsec_\" and 24 to 64 bytes in base64, as \"echo "
              "whsec_$(openssl rand -base64 32)\" makes one");
}

std::string webhook_signature(ByteView secret, std::string_view id, UnixSeconds timestamp,
                              std::string_view body) {
  const std::string head = std::string(id) + "." + std::to_string(timestamp.value) + ".";
  return "v1," + to_base64(hmac_sha256(secret, {as_bytes(head), as_bytes(body)}));
}

}  // namespace ipnscast::tools
