#include "ipnscast/bridge/node/content_disposition.h"

#include <cstdint>

#include "ipnscast/nostr/base/percent.h"
#include "ipnscast/sync/ipfs/ipld/utf8.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxNameBytes = 255;

// The character at the start of the text, or one byte that begins none.
std::string_view first_character(std::string_view text) {
  for (size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (sync::is_utf8(text.substr(0, size))) return text.substr(0, size);
  }
  return text.substr(0, 1);
}

bool can_stand_in_name(std::string_view character) {
  if (!sync::is_utf8(character)) return false;
  if (character.size() == 2 && character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0)
    return false;  // U+0080 to U+009F are controls
  const auto byte = static_cast<uint8_t>(character[0]);
  return byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\';
}

}  // namespace

std::string attachment_named(std::string_view file_name) {
  std::string name;
  std::string ascii;
  bool same = true;
  while (!file_name.empty()) {
    std::string_view character = first_character(file_name);
    file_name.remove_prefix(character.size());
    if (!can_stand_in_name(character)) character = "_";
    if (name.size() + character.size() > kMaxNameBytes) break;
    name += character;
    // Some browsers take "%" in the plain name for an escape.
    const bool plain = character.size() == 1 && character != "\"" && character != "%";
    ascii += plain ? character : "_";
    same = same && plain;
  }
  std::string out = "attachment; filename=\"" + ascii + '"';
  // RFC 8187 section 3.2.1, attr-char
  if (!same) out += "; filename*=UTF-8''" + percent_encoded(name, "!#$&+^`|");
  return out;
}

}  // namespace ipnscast::bridge
