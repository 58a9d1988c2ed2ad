#include "ipnscast/sync/keys/own_secret.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kSignerTimeout{10'000};
constexpr size_t kKeyBytes = 32;

// Of this identity: a state directory may see another one later.
std::string setting_of(const nostr::Signer& signer, std::string_view name) {
  return std::string(name) + ":" + to_hex(signer.public_key().view());
}

Result<SecretBytes<kKeyBytes>> decrypted(nostr::Signer& signer, std::string payload) {
  auto text =
      nip44_decrypt_blocking(signer, std::move(payload), signer.public_key(), kSignerTimeout);
  if (!text) return fail(text.error());
  const SecretText hex = SecretText::take(*text);
  auto bytes = from_hex(hex.view());
  if (!bytes || bytes->size() != kKeyBytes) return fail(Errc::parse, "the stored one is damaged");
  auto key = SecretBytes<kKeyBytes>::from(*bytes);
  wipe(*bytes);
  return key;
}

Result<std::string> new_payload(nostr::Signer& signer) {
  SecretBytes<kKeyBytes> key;
  fill_random(key.mutable_view());
  return nip44_encrypt_blocking(signer, to_hex(key.view()), signer.public_key(), kSignerTimeout);
}

}  // namespace

Result<std::optional<SecretBytes<32>>> own_secret(nostr::Signer& signer, store::Writer& writer,
                                                  std::string_view info, std::string_view name,
                                                  bool make) {
  if (auto derived = signer.derive(info)) return derived;
  const std::string setting = setting_of(signer, name);
  std::optional<std::string> stored;
  const Status read = writer.run([&](store::Database& db) -> Status {
    auto found = load_setting(db, setting);
    if (!found) return fail(found.error());
    stored = std::move(*found);
    return {};
  });
  if (!read) return fail(read.error());
  if (!stored && !make) return std::nullopt;
  if (!stored) {
    auto payload = new_payload(signer);
    if (!payload) return fail(payload.error());
    stored = std::move(*payload);
    const Status saved =
        writer.run([&](store::Database& db) { return save_setting(db, setting, *stored); });
    if (!saved) return fail(saved.error());
  }
  auto key = decrypted(signer, std::move(*stored));
  if (!key) return fail(key.error());
  return std::move(*key);
}

}  // namespace ipnscast::sync
