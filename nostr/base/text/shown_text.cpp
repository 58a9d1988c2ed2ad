#include "ipnscast/nostr/base/text/shown_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace ipnscast {
namespace {

constexpr std::string_view kNoText = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kLeftOut = "...";

struct ReadCharacter {
  uint32_t code = 0;
  size_t size = 0;  // 0: these bytes are no UTF-8
};

// The first character. RFC 3629: the shortest form only, no surrogates, at most U+10FFFF.
ReadCharacter first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  uint32_t code = lead & (0xff >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool longer = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool nothing = (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
  return longer || nothing ? ReadCharacter{} : ReadCharacter{code, size};
}

bool steers(uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  if (code < 0x600) return false;
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool starts_with_word(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char is) {
           return want == (is >= 'A' && is <= 'Z' ? static_cast<char>(is + ('a' - 'A')) : is);
         });
}

struct SecretPart {
  size_t shown = 0;  // how much of it stays
  size_t size = 0;   // 0: no secret begins here
};

// Letters and digits behind one of the words that begin an encoded key.
SecretPart encoded_key(std::string_view text) {
  for (const std::string_view word : {"nsec1", "ncryptsec1"}) {
    if (!starts_with_word(text, word)) continue;
    const auto end = std::find_if_not(text.begin() + static_cast<ptrdiff_t>(word.size()),
                                      text.end(), is_key_character);
    const auto size = static_cast<size_t>(end - text.begin());
    if (size > word.size()) return {word.size(), size};
  }
  return {};
}

// The member of a bunker URI's query.
SecretPart query_secret(std::string_view text) {
  for (const std::string_view word : {"?secret=", "&secret="}) {
    if (!starts_with_word(text, word)) continue;
    const size_t end = std::min(text.find_first_of("& \t\r\n\"'", word.size()), text.size());
    if (end > word.size()) return {word.size(), end};
  }
  return {};
}

// The user and the password before the host of a URL.
SecretPart user_of_url(std::string_view text) {
  constexpr std::string_view kAuthority = "://";
  if (!text.starts_with(kAuthority)) return {};
  const size_t end = std::min(text.find_first_of("/?# \t\r\n\"'", kAuthority.size()), text.size());
  const size_t at = text.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at == kAuthority.size()) return {};
  return {kAuthority.size(), at};
}

SecretPart secret_at(std::string_view text) {
  for (const auto& look : {encoded_key, query_secret, user_of_url}) {
    if (const SecretPart found = look(text); found.size > 0) return found;
  }
  return {};
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const ReadCharacter character = first_character(text);
    if (character.size == 0) {
      out += kNoText;
      text.remove_prefix(1);
      continue;
    }
    if (steers(character.code)) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(character.code));
      out += escape;
    } else {
      out += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

std::string without_secrets(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const SecretPart secret = secret_at(text);
    out += text.substr(0, secret.size > 0 ? secret.shown : 1);
    if (secret.size > 0) out += kLeftOut;
    text.remove_prefix(std::max(secret.size, size_t{1}));
  }
  return out;
}

bool holds_secret(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (secret_at(text).size > 0) return true;
  }
  return false;
}

}  // namespace ipnscast
