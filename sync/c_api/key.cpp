#include "ipnscast/sync/c_api/key.h"

#include <memory>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/c_api/call.h"
#include "ipnscast/sync/c_api/given.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace {

Result<std::unique_ptr<ipnscast_key>> key_handle(sync::StoredKey stored) {
  auto ipns = stored.ipns_key();
  if (!ipns) return fail(ipns.error());
  std::string author;
  if (const auto nostr = stored.nostr_key()) author = to_hex(nostr->public_key().view());
  std::string name = ipns->name().to_string();
  return std::make_unique<ipnscast_key>(
      ipnscast_key{std::move(stored), std::move(*ipns), std::move(name), std::move(author)});
}

Status give(Result<sync::StoredKey> stored, ipnscast_key** out) {
  if (!stored) return fail(stored.error());
  auto key = key_handle(std::move(*stored));
  if (!key) return fail(key.error());
  *out = key->release();
  return {};
}

// The password that the program gave, for whoever needs one; empty: none.
PasswordSource password_of(std::string_view given) {
  if (given.empty()) return {};
  return [given](const std::string&) -> Result<SecretText> {
    std::string copy(given);
    return SecretText::take(copy);
  };
}

Result<std::string_view> label_in(const char* label, size_t size) {
  return needed_text(label, size, "label");
}

}  // namespace

int ipnscast_key_generate(ipnscast_key** out) {
  return answer(nullptr, [&]() -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    *out = nullptr;
    return give(sync::StoredKey::generate(sync::StoredKeyType::nostr), out);
  });
}

int ipnscast_key_parse(const char* secret, size_t secret_length, ipnscast_key** out,
                       ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    *out = nullptr;
    const auto text = needed_text(secret, secret_length, "secret");
    if (!text) return fail(text.error());
    return give(sync::StoredKey::from_text(sync::StoredKeyType::nostr, *text), out);
  });
}

int ipnscast_key_load(const char* folder, size_t folder_length, const char* label,
                      size_t label_length, const char* password, size_t password_length,
                      ipnscast_key** out, ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    *out = nullptr;
    const auto place = path_in(folder, folder_length, "folder");
    if (!place) return fail(place.error());
    const auto which = label_in(label, label_length);
    if (!which) return fail(which.error());
    const auto opens = text_in(password, password_length, "password");
    if (!opens) return fail(opens.error());
    return give(sync::KeyStore(*place, password_of(*opens)).load(*which), out);
  });
}

int ipnscast_key_store(const ipnscast_key* key, const char* folder, size_t folder_length,
                       const char* label, size_t label_length, ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(key, "key"); !there) return there;
    const auto place = path_in(folder, folder_length, "folder");
    if (!place) return fail(place.error());
    const auto which = label_in(label, label_length);
    if (!which) return fail(which.error());
    return sync::KeyStore(*place).add(*which, key->stored);
  });
}

ipnscast_text ipnscast_key_name(const ipnscast_key* key) {
  if (key == nullptr) return {"", 0};
  return {key->name.c_str(), key->name.size()};
}

ipnscast_text ipnscast_key_author(const ipnscast_key* key) {
  if (key == nullptr) return {"", 0};
  return {key->author.c_str(), key->author.size()};
}

void ipnscast_key_free(ipnscast_key* key) { delete key; }
