#include "ipnscast/nostr/event/json_text.h"

#include <charconv>

#include "ipnscast/nostr/base/hex.h"

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

constexpr size_t kLongestEscape = 6;  // \u001f

// Writes one character, escaped where it has to be; gives the end.
char* write_character(char* out, char c) {
  const auto byte = static_cast<uint8_t>(c);
  if (byte >= 0x20 && c != '"' && c != '\\') {
    *out = c;
    return out + 1;
  }
  *out++ = '\\';
  switch (c) {
    case '\n':
      *out = 'n';
      return out + 1;
    case '"':
    case '\\':
      *out = c;
      return out + 1;
    case '\r':
      *out = 'r';
      return out + 1;
    case '\t':
      *out = 't';
      return out + 1;
    case '\b':
      *out = 'b';
      return out + 1;
    case '\f':
      *out = 'f';
      return out + 1;
    default:
      break;
  }
  for (const char letter : {'u', '0', '0'}) *out++ = letter;
  write_hex(ByteView(&byte, 1), out);
  return out + 2;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  // By way of a small buffer: eight characters at a time where none needs an escape.
  std::array<char, 512> buffer;
  char* end = buffer.data();
  *end++ = '"';
  size_t i = 0;
  while (i < text.size()) {
    if (static_cast<size_t>(end - buffer.data()) > buffer.size() - 8 * kLongestEscape - 1) {
      out.append(buffer.data(), end);
      end = buffer.data();
    }
    const size_t count = std::min<size_t>(8, text.size() - i);
    uint64_t word = 0;
    if (count == 8) std::memcpy(&word, text.data() + i, 8);
    if (count == 8 && !any_special(word)) {
      std::memcpy(end, &word, 8);
      end += 8;
    } else {
      for (size_t k = 0; k < count; ++k) end = write_character(end, text[i + k]);
    }
    i += count;
  }
  *end++ = '"';
  out.append(buffer.data(), end);
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
