#include "ipnscast/tools/usage/typed_value.h"

#include <algorithm>

#include "ipnscast/nostr/event/nip19.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kNpubSize = 63;  // and of note
constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

std::string quoted_text(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string_view without_any(std::string_view text, std::string_view path,
                             std::string_view scheme) {
  text = without_blanks_around(text);
  for (const std::string_view prefix : {path, scheme}) {
    if (!text.starts_with(prefix)) continue;
    text.remove_prefix(prefix.size());
    while (text.ends_with('/')) text.remove_suffix(1);
    break;
  }
  return text;
}

std::string why_not_bech32(std::string_view text, std::string_view prefix) {
  const bool upper =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool lower =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (upper && lower) return "it mixes upper and lower case";
  const std::string_view data = text.substr(prefix.size());
  const auto strange = std::find_if(data.begin(), data.end(), [](char c) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return kAlphabet.find(low) == std::string_view::npos;
  });
  const bool of_one_size = prefix == "npub1" || prefix == "note1";
  if (of_one_size && text.size() != kNpubSize)
    return std::string(text.size() < kNpubSize ? "it is too short" : "it is too long") +
           " (expected 63 characters)";
  if (strange != data.end())
    return std::string("\"") + *strange + "\" cannot stand in it: copy it again";
  return "a character of it is wrong or missing: copy it again";
}

}  // namespace

std::string_view without_blanks_around(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

Result<sync::Cid> typed_cid(std::string_view text) {
  auto cid = sync::Cid::parse(without_any(text, "/ipfs/", "ipfs://"));
  if (cid) return cid;
  return fail(Errc::invalid,
              quoted_text(text) + " is not a CID: want one such as bafybei... or Qm..., whole");
}

Result<sync::Cid> typed_content(std::string_view text) {
  auto cid = typed_cid(text);
  const bool is_name = typed_name(text).has_value() && (!cid || cid->is(sync::Codec::libp2p_key));
  if (!is_name) return cid;
  return fail(Errc::invalid,
              quoted_text(text) +
                  " is an IPNS name, not a CID: \"ipnscast resolve NAME\" says which "
                  "content it points to");
}

Result<sync::IpnsName> typed_name(std::string_view text) {
  auto name = sync::IpnsName::parse(without_any(text, "/ipns/", "ipns://"));
  if (name) return name;
  return fail(Errc::invalid, quoted_text(text) +
                                 " is not an IPNS name: want one such as k51..., 12D3Koo... or "
                                 "bafzaa..., whole");
}

Result<nostr::Filter> typed_filter(const std::string& text) {
  auto filter = nostr::parse_filter(text);
  if (filter) return filter;
  return fail(Errc::invalid, quoted_text(text) + " is not a filter: " + filter.error().message +
                                 "; want one such as {\"kinds\":[1]}");
}

std::optional<std::string> nip19_fault(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  for (const std::string_view prefix : {"npub1", "nprofile1", "naddr1", "nevent1", "note1"}) {
    if (!lower.starts_with(prefix)) continue;
    if (nostr::decode_nip19(text)) return std::nullopt;
    return std::string(prefix.substr(0, prefix.size() - 1)) + ": " + why_not_bech32(text, prefix);
  }
  return std::nullopt;
}

}  // namespace ipnscast::tools
