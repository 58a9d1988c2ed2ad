#include "ipnscast/nostr/json/json_numbers.h"

#include <algorithm>
#include <cstddef>

#include "ipnscast/nostr/json/json_characters.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kSafeDigits = 18;

size_t skip_digits(std::string_view text, size_t at) {
  while (at < text.size() && is_json_digit(text[at])) ++at;
  return at;
}

// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ("e" / "E") [ "+" / "-" ] 1*digit ]
// RFC 8259
bool is_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t whole = skip_digits(text, at);
  if (whole == at || (text[at] == '0' && whole > at + 1)) return false;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction = skip_digits(text, at + 1);
    if (fraction == at + 1) return false;
    at = fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t exponent = skip_digits(text, at);
    if (exponent == at) return false;
    at = exponent;
  }
  return at == text.size();
}

// The index after the string that starts at `at`.
size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace

std::optional<std::string> replace_wide_numbers(std::string_view json) {
  std::string out;
  bool replaced = false;
  for (size_t i = 0; i < json.size();) {
    const char c = json[i];
    size_t end = i + 1;
    if (c == '"') {
      end = skip_string(json, i);
    } else if (c == '-' || is_json_digit(c)) {
      end = std::min(json.find_first_not_of("0123456789+-.eE", i), json.size());
      const std::string_view token = json.substr(i, end - i);
      const bool wide = token.size() > kSafeDigits || token.find_first_of("eE") != token.npos;
      if (wide && is_number(token)) {
        out += "0.5";
        replaced = true;
        i = end;
        continue;
      }
    }
    out.append(json.substr(i, end - i));
    i = end;
  }
  if (!replaced) return std::nullopt;
  return out;
}

}  // namespace ipnscast::nostr
