#include "ipnscast/bridge/node/accept.h"

#include <algorithm>
#include <optional>

#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/base/text/blanks.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxRanges = 64;

// Cuts the text up to the next `end` that stands outside of quotes off the front.
std::string_view take_until(std::string_view& text, char end) {
  bool quoted = false;
  size_t at = 0;
  for (; at < text.size() && (quoted || text[at] != end); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (text[at] == '\\' && quoted && at + 1 < text.size()) ++at;
  }
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(std::min(text.size(), at + 1));
  return without_blanks(out);
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// "1", "0.5", "0.123"
std::optional<unsigned> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned out = text[0] == '1' ? 1000 : 0;
  unsigned unit = 100;
  for (const char digit : text.substr(std::min<size_t>(text.size(), 2))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    out += static_cast<unsigned>(digit - '0') * unit;
    unit /= 10;
  }
  if (out > 1000) return std::nullopt;
  return out;
}

std::optional<MediaRange> parse_range(std::string_view text) {
  MediaRange out;
  out.type = lower_case(take_until(text, ';'));
  const size_t slash = out.type.find('/');
  if (slash == 0 || slash == out.type.npos || slash + 1 == out.type.size()) return std::nullopt;
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    if (value.empty()) continue;
    const std::string name = lower_case(take_until(value, '='));
    const std::string content = unquoted(without_blanks(value));
    if (name != "q") {
      out.parameters.emplace(name, content);
      continue;
    }
    const auto weight = parse_weight(content);
    if (!weight) return std::nullopt;
    out.weight = *weight;
  }
  return out;
}

// How closely a range names the type: 0 not at all, 3 itself.
int closeness(std::string_view range, std::string_view type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  const size_t slash = type.find('/');
  const bool all_of_kind = range.size() == slash + 2 && range.back() == '*' &&
                           range.substr(0, slash + 1) == type.substr(0, slash + 1);
  return all_of_kind ? 2 : 0;
}

}  // namespace

std::vector<MediaRange> parse_accept(std::string_view header) {
  std::vector<MediaRange> out;
  while (!header.empty() && out.size() < kMaxRanges) {
    if (auto range = parse_range(take_until(header, ','))) out.push_back(std::move(*range));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const MediaRange& a, const MediaRange& b) { return a.weight > b.weight; });
  return out;
}

bool is_accepted(std::string_view header, std::string_view type) {
  if (without_blanks(header).empty()) return true;
  int closest = 0;
  bool accepted = false;
  for (const MediaRange& range : parse_accept(header)) {
    const int close = closeness(range.type, type);
    if (close <= closest) continue;
    closest = close;
    accepted = range.weight > 0;
  }
  return accepted;
}

}  // namespace ipnscast::bridge
