#include "ipnscast/nostr/event/frame.h"

#include <cstring>

#include "ipnscast/nostr/json/json_characters.h"

namespace ipnscast::nostr {
namespace {

void skip_space(std::string_view& text) {
  while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
}

void skip_space_back(std::string_view& text) {
  while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
}

bool take(std::string_view& text, std::string_view token) {
  skip_space(text);
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}

bool take_back(std::string_view& text, char token) {
  skip_space_back(text);
  if (!text.ends_with(token)) return false;
  text.remove_suffix(1);
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
  skip_space_back(frame);
  if (!frame.starts_with('{') || !frame.ends_with('}')) return std::nullopt;
  out.event = frame;
  return out;
}

std::string_view guess_id(std::string_view event) {
  constexpr std::string_view kName = "\"id\"";
  const void* const found = memmem(event.data(), event.size(), kName.data(), kName.size());
  if (found == nullptr) return {};
  event.remove_prefix(static_cast<size_t>(static_cast<const char*>(found) - event.data()) +
                      kName.size());
  if (!take(event, ":") || !take(event, "\"") || event.size() < 64) return {};
  return event.substr(0, 64);
}

std::string_view event_text(std::string_view frame) {
  const size_t first = frame.find('{');
  const size_t last = frame.rfind('}');
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return {};
  return frame.substr(first, last + 1 - first);
}

}  // namespace ipnscast::nostr
