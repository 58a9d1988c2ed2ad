#include "nostr/json_text.h"

#include <charconv>

#include "nostr/base/hex.h"

namespace ipnscast::nostr {
namespace {

constexpr uint64_t kOnes = ~uint64_t{0} / 255;
constexpr uint64_t kHighBits = kOnes * 0x80;

// True when one of the eight bytes needs an escape: below 0x20, a quote or a backslash.
bool any_special(uint64_t word) {
  const uint64_t quote = word ^ (kOnes * '"');
  const uint64_t backslash = word ^ (kOnes * '\\');
  const uint64_t low = (word - kOnes * 0x20) & ~word;
  return ((low | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash)) & kHighBits) != 0;
}

// The length of the longest start of `text` that is written as it stands.
size_t plain_prefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if (any_special(word)) break;
  }
  for (; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return i;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  char digits[2];
  const auto byte = static_cast<uint8_t>(c);
  write_hex(ByteView(&byte, 1), digits);
  out += "\\u00";
  out.append(digits, 2);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const size_t plain = plain_prefix(text);
    out.append(text.data(), plain);
    if (plain == text.size()) break;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_number(std::string& out, int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

void append_hex_string(std::string& out, ByteView bytes) {
  const size_t start = out.size();
  out.resize(start + 2 * bytes.size() + 2, '"');
  write_hex(bytes, out.data() + start + 1);
}

void append_tags(std::string& out, const std::vector<Tag>& tags) {
  out += '[';
  for (size_t i = 0; i < tags.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    for (size_t j = 0; j < tags[i].size(); ++j) {
      if (j != 0) out += ',';
      append_json_string(out, tags[i][j]);
    }
    out += ']';
  }
  out += ']';
}

void append_event(std::string& out, const Event& event) {
  out += "{\"id\":";
  append_hex_string(out, event.id.view());
  out += ",\"pubkey\":";
  append_hex_string(out, event.pubkey.view());
  out += ",\"created_at\":";
  append_number(out, event.created_at.value);
  out += ",\"kind\":";
  append_number(out, event.kind);
  out += ",\"tags\":";
  append_tags(out, event.tags);
  out += ",\"content\":";
  append_json_string(out, event.content);
  out += ",\"sig\":";
  append_hex_string(out, event.sig.view());
  out += '}';
}

void append_canonical(std::string& out, const PublicKey& pubkey, UnixSeconds created_at, int kind,
                      const std::vector<Tag>& tags, std::string_view content) {
  out += "[0,";
  append_hex_string(out, pubkey.view());
  out += ',';
  append_number(out, created_at.value);
  out += ',';
  append_number(out, kind);
  out += ',';
  append_tags(out, tags);
  out += ',';
  append_json_string(out, content);
  out += ']';
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

}  // namespace ipnscast::nostr
