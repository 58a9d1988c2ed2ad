#include "ipnscast/sync/resolve/record_extra.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostRelays = 8;

bool is_secure(const nostr::RelayUrl& url) { return url.text().starts_with("wss://"); }

// The member's value; nothing when it is absent.
std::optional<CborValue> member_of(const IpnsRecord::Fields& fields, const char* key) {
  const auto it = fields.extra.find(key);
  if (it == fields.extra.end()) return std::nullopt;
  auto value = decode_dag_cbor(it->second, {.depth = 8, .items = 256, .canonical = false});
  if (!value) return std::nullopt;
  return std::move(*value);
}

std::optional<nostr::PublicKey> read_key(const CborValue* value) {
  if (value == nullptr) return std::nullopt;
  Bytes bytes;
  if (const auto* raw = value->as<Bytes>()) {
    bytes = *raw;
  } else if (const auto* text = value->as<std::string>()) {
    if (auto decoded = from_hex(*text)) bytes = std::move(*decoded);
  }
  if (bytes.size() != nostr::PublicKey::kSize) return std::nullopt;
  return nostr::PublicKey::from(bytes);
}

}  // namespace

Bytes encode_announcer(const Announcer& announcer) {
  CborList relays;
  for (const nostr::RelayUrl& url : announcer.relays) {
    if (relays.size() < kMostRelays && is_secure(url)) relays.push_back({std::string(url.text())});
  }
  return encode_dag_cbor(
      {CborMap{{"pubkey", {to_bytes(announcer.pubkey.view())}}, {"relays", {std::move(relays)}}}});
}

std::optional<Announcer> announcer_of(const IpnsRecord::Fields& fields) {
  const auto value = member_of(fields, kAnnouncerKey);
  const auto* map = value ? value->as<CborMap>() : nullptr;
  if (map == nullptr) return std::nullopt;
  const auto key = read_key(find_member(*map, "pubkey"));
  if (!key) return std::nullopt;
  Announcer out{*key, {}};
  const CborValue* const relays = find_member(*map, "relays");
  const auto* list = relays != nullptr ? relays->as<CborList>() : nullptr;
  if (list == nullptr) return out;
  for (const CborValue& item : *list) {
    const auto* text = item.as<std::string>();
    if (text == nullptr || out.relays.size() >= kMostRelays) continue;
    auto url = nostr::RelayUrl::parse_foreign(*text);
    if (url && is_secure(*url)) out.relays.push_back(std::move(*url));
  }
  return out;
}

Bytes encode_previous(const Cid& root) { return encode_dag_cbor({root}); }

std::optional<Cid> previous_of(const IpnsRecord::Fields& fields) {
  const auto value = member_of(fields, kPreviousKey);
  const auto* cid = value ? value->as<Cid>() : nullptr;
  if (cid == nullptr) return std::nullopt;
  return *cid;
}

}  // namespace ipnscast::sync
