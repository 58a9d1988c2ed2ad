#include "sync/private_key.h"

#include "nostr/base/hex.h"
#include "nostr/base/random.h"
#include "nostr/base/secret_text.h"
#include "sync/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kSignerTimeout{10'000};
constexpr size_t kKeyBytes = 32;

using Names = std::shared_ptr<const PrivateNames>;

// Of this identity: a state directory may see another one later.
std::string setting_of(const nostr::Signer& signer) {
  return "private_names_key:" + to_hex(signer.public_key().view());
}

Result<Names> decrypted(nostr::Signer& signer, std::string payload) {
  auto text =
      nip44_decrypt_blocking(signer, std::move(payload), signer.public_key(), kSignerTimeout);
  if (!text) return fail(text.error().within("the key of private hints"));
  const SecretText hex = SecretText::take(*text);
  auto bytes = from_hex(hex.view());
  if (!bytes || bytes->size() != kKeyBytes)
    return fail(Errc::parse, "the key of private hints: the stored one is damaged");
  auto key = SecretBytes<kKeyBytes>::from(*bytes);
  wipe(*bytes);
  return std::make_shared<const PrivateNames>(std::move(key));
}

Result<std::string> new_payload(nostr::Signer& signer) {
  SecretBytes<kKeyBytes> key;
  fill_random(key.mutable_view());
  auto payload =
      nip44_encrypt_blocking(signer, to_hex(key.view()), signer.public_key(), kSignerTimeout);
  if (!payload) return fail(payload.error().within("the key of private hints"));
  return payload;
}

}  // namespace

Result<Names> open_private_names(nostr::Signer& signer, store::Writer& writer, bool make) {
  if (auto derived = signer.derive(kPrivateKeyInfo))
    return std::make_shared<const PrivateNames>(std::move(*derived));
  std::optional<std::string> stored;
  const Status read = writer.run([&](store::Database& db) -> Status {
    auto setting = load_setting(db, setting_of(signer));
    if (!setting) return fail(setting.error());
    stored = std::move(*setting);
    return {};
  });
  if (!read) return fail(read.error());
  if (!stored && !make) return Names();
  if (!stored) {
    auto payload = new_payload(signer);
    if (!payload) return fail(payload.error());
    stored = std::move(*payload);
    const Status saved = writer.run(
        [&](store::Database& db) { return save_setting(db, setting_of(signer), *stored); });
    if (!saved) return fail(saved.error());
  }
  return decrypted(signer, std::move(*stored));
}

}  // namespace ipnscast::sync
