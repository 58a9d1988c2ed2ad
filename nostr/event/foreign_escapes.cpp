#include "ipnscast/nostr/event/foreign_escapes.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr {
namespace {

struct Escapes {
  bool raw_control = false;        // NIP-01 read to the letter: \u0001 as the byte 1
  bool upper_digits = false;       // \u001F
  bool all_controls_as_u = false;  // \u0008 for \b, \u000c for \f
  bool slash = false;              // \/
  bool line_separators = false;    // U+2028 and U+2029 as escapes
  bool ascii_only = false;         // as Python's json.dumps
  bool html = false;               // & < > as escapes, as Go's encoding/json
  bool delete_as_u = false;        // 0x7f as \u007f
};

constexpr Escapes kKnown[] = {
    {.raw_control = true},
    {.upper_digits = true},
    {.all_controls_as_u = true},
    {.slash = true},
    {.line_separators = true},
    {.ascii_only = true},
    {.delete_as_u = true},
    {.line_separators = true, .html = true},
    {.all_controls_as_u = true, .line_separators = true, .html = true},
    {.slash = true, .ascii_only = true},
};

void append_unit(std::string& out, uint32_t unit, bool upper) {
  const char* const digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(unit >> shift) & 15];
}

void append_escaped(std::string& out, uint32_t character, bool upper) {
  if (character < 0x10000) return append_unit(out, character, upper);
  append_unit(out, 0xd800 + ((character - 0x10000) >> 10), upper);
  append_unit(out, 0xdc00 + ((character - 0x10000) & 0x3ff), upper);
}

// Takes one character off the front of valid UTF-8.
uint32_t next_character(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  uint32_t out = size == 1 ? first : first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size && i < text.size(); ++i) {
    out = (out << 6) | (static_cast<uint8_t>(text[i]) & 0x3f);
  }
  text.remove_prefix(std::min(size, text.size()));
  return out;
}

bool wants_unit(uint32_t c, const Escapes& escapes) {
  if (c == '\b' || c == '\f') return escapes.all_controls_as_u;
  if (c == '\n' || c == '\r' || c == '\t') return false;
  if (c < 0x20) return !escapes.raw_control;
  return (escapes.delete_as_u && c == 0x7f) || (escapes.ascii_only && c > 0x7f) ||
         (escapes.line_separators && (c == 0x2028 || c == 0x2029)) ||
         (escapes.html && (c == '&' || c == '<' || c == '>'));
}

void append_foreign(std::string& out, std::string_view text, const Escapes& escapes) {
  out += '"';
  while (!text.empty()) {
    const std::string_view here = text;
    const uint32_t c = next_character(text);
    const std::string_view raw = here.substr(0, here.size() - text.size());
    if (wants_unit(c, escapes)) {
      append_escaped(out, c, escapes.upper_digits);
    } else if (c == '/' && escapes.slash) {
      out += "\\/";
    } else if (c < 0x20 && escapes.raw_control && c != '\n' && c != '\r' && c != '\t' &&
               c != '\b' && c != '\f') {
      out += raw;
    } else {
      std::string one;
      append_json_string(one, raw);
      out.append(one, 1, one.size() - 2);
    }
  }
  out += '"';
}

std::string foreign_text(const Event& event, const Escapes& escapes) {
  std::string out;
  // The frame of the text is that of an event without strings.
  append_canonical(out, event.pubkey, event.created_at, event.kind, {}, "");
  out.resize(out.size() - std::string_view("[],\"\"]").size());
  out += '[';
  for (size_t i = 0; i < event.tags.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    for (size_t j = 0; j < event.tags[i].size(); ++j) {
      if (j != 0) out += ',';
      append_foreign(out, event.tags[i][j], escapes);
    }
    out += ']';
  }
  out += "],";
  append_foreign(out, event.content, escapes);
  out += ']';
  return out;
}

}  // namespace

bool id_of_foreign_escapes(const Event& event) {
  return std::any_of(std::begin(kKnown), std::end(kKnown), [&](const Escapes& escapes) {
    return EventId{sha256(as_bytes(foreign_text(event, escapes)))} == event.id;
  });
}

}  // namespace ipnscast::nostr
