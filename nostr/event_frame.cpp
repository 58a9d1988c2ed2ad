#include "nostr/event_frame.h"

#include <algorithm>

namespace ipnscast::nostr {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
}

bool take(std::string_view& text, std::string_view token) {
  skip_space(text);
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}

bool take_back(std::string_view& text, char token) {
  const size_t last = text.find_last_not_of(kSpace);
  if (last == std::string_view::npos || text[last] != token) return false;
  text = text.substr(0, last);
  return true;
}

}  // namespace

std::optional<EventFrame> find_event(std::string_view frame) {
  if (!take(frame, "[") || !take(frame, "\"EVENT\"") || !take(frame, ",") || !take(frame, "\""))
    return std::nullopt;
  const size_t quote = frame.find_first_of("\"\\");
  if (quote == std::string_view::npos || frame[quote] == '\\') return std::nullopt;
  EventFrame out{frame.substr(0, quote), {}};
  frame.remove_prefix(quote + 1);
  if (!take(frame, ",") || !take_back(frame, ']')) return std::nullopt;
  skip_space(frame);
  const size_t last = frame.find_last_not_of(kSpace);
  if (!frame.starts_with('{') || frame[last] != '}') return std::nullopt;
  out.event = frame.substr(0, last + 1);
  return out;
}

std::string_view event_text(std::string_view frame) {
  const size_t first = frame.find('{');
  const size_t last = frame.rfind('}');
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return {};
  return frame.substr(first, last + 1 - first);
}

}  // namespace ipnscast::nostr
