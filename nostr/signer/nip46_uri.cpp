#include <algorithm>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/signer/nip46.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kMaxUri = 4096;
constexpr size_t kMaxUriRelays = 20;

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(Errc::parse, "remote signer: " + std::string(what));
}

// %XX and '+', as URLSearchParams writes them. Nothing for a cut escape or text that is not UTF-8.
std::optional<std::string> decode_query(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : fail(Errc::parse, "");
    if (!byte) return std::nullopt;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  if (!valid_utf8(out)) return std::nullopt;
  return out;
}

void append_query(std::string& out, char separator, std::string_view name, std::string_view value) {
  constexpr std::string_view kPlain = "-_.~";
  out += separator;
  out += name;
  out += '=';
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out += "%" + to_hex({&byte, 1});
    }
  }
}

// <scheme>://<64 hex>?name=value&...: the key, and each parameter handed to `take`, which says what
// is wrong with it.
template <typename Take>
Result<PublicKey> read_uri(std::string_view text, std::string_view scheme, Take take) {
  if (text.size() > kMaxUri) return fail(Errc::too_large, "remote signer: address too long");
  if (!text.starts_with(scheme)) return wrong("want " + std::string(scheme) + "...");
  text.remove_prefix(scheme.size());
  const size_t key_end = std::min(text.find('?'), text.size());
  std::string_view key_text = text.substr(0, key_end);
  if (key_text.ends_with('/')) key_text.remove_suffix(1);  // as some URL writers do
  const auto key = key_text.size() == 64 ? from_hex(key_text) : fail(Errc::parse, "");
  if (!key) return wrong("want 64 hex digits of key in the address");
  std::string_view query = text.substr(std::min(key_end + 1, text.size()));
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode_query(pair.substr(0, equals));
    auto value = decode_query(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return wrong("an escape in the address makes no sense");
    const Status taken = take(*name, *value);
    wipe_text(*value);
    if (!taken) return fail(taken.error());
  }
  return PublicKey::from(*key);
}

Status add_relay(std::vector<RelayUrl>& relays, std::string_view text) {
  auto url = RelayUrl::parse(text);
  if (!url) return fail(Errc::parse, url.error().message);
  if (relays.size() == kMaxUriRelays)
    return fail(Errc::too_large, "remote signer: too many relays");
  if (std::find(relays.begin(), relays.end(), *url) == relays.end())
    relays.push_back(std::move(*url));
  return {};
}

// A parameter that stands once.
Status set_once(std::string& out, const std::string& name, const std::string& value) {
  if (!out.empty()) return wrong(name + " stands twice in the address");
  out = value;
  return {};
}

Status set_secret(SecretText& out, std::string& value) {
  if (!out.view().empty()) return wrong("secret stands twice in the address");
  out = SecretText::take(value);
  return {};
}

std::vector<std::string> split_perms(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string join_perms(const std::vector<std::string>& perms) {
  std::string out;
  for (const std::string& perm : perms) out += (out.empty() ? "" : ",") + perm;
  return out;
}

}  // namespace

Result<BunkerUri> parse_bunker_uri(std::string_view text) {
  BunkerUri out;
  const auto key =
      read_uri(text, "bunker://", [&](const std::string& name, std::string& value) -> Status {
        if (name == "relay") return add_relay(out.relays, value);
        if (name == "secret") return set_secret(out.secret, value);
        return {};
      });
  if (!key) return fail(key.error());
  if (out.relays.empty()) return wrong("the address names no relay");
  out.signer = *key;
  return out;
}

Result<NostrConnectUri> parse_nostr_connect_uri(std::string_view text) {
  NostrConnectUri out;
  std::string perms;
  const auto key =
      read_uri(text, "nostrconnect://", [&](const std::string& name, std::string& value) -> Status {
        if (name == "relay") return add_relay(out.relays, value);
        if (name == "secret") return set_secret(out.secret, value);
        if (name == "perms") return set_once(perms, name, value);
        if (name == "name") return set_once(out.name, name, value);
        if (name == "url") return set_once(out.url, name, value);
        if (name == "image") return set_once(out.image, name, value);
        return {};
      });
  if (!key) return fail(key.error());
  if (out.relays.empty()) return wrong("the address names no relay");
  if (out.secret.view().empty()) return wrong("the address has no secret");
  out.client = *key;
  out.perms = split_perms(perms);
  return out;
}

std::string to_text(const BunkerUri& uri) {
  std::string out = "bunker://" + to_hex(uri.signer.view());
  char separator = '?';
  for (const RelayUrl& relay : uri.relays) {
    append_query(out, separator, "relay", relay.text());
    separator = '&';
  }
  if (!uri.secret.view().empty()) append_query(out, separator, "secret", uri.secret.view());
  return out;
}

std::string to_text(const NostrConnectUri& uri) {
  std::string out = "nostrconnect://" + to_hex(uri.client.view());
  append_query(out, '?', "secret", uri.secret.view());
  for (const RelayUrl& relay : uri.relays) append_query(out, '&', "relay", relay.text());
  if (!uri.perms.empty()) append_query(out, '&', "perms", join_perms(uri.perms));
  if (!uri.name.empty()) append_query(out, '&', "name", uri.name);
  if (!uri.url.empty()) append_query(out, '&', "url", uri.url);
  if (!uri.image.empty()) append_query(out, '&', "image", uri.image);
  return out;
}

}  // namespace ipnscast::nostr
