#include "ipnscast/nostr/net/message/deflate_offer.h"

#include <set>

#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/base/text/blanks.h"

namespace ipnscast::nostr::net {
namespace {

// What stands before the separator, taken off `rest` with it. No value we know holds one in quotes.
std::string_view take_until(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view part = without_blanks(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "8" to "15", without a leading zero.
bool is_window(std::string_view text) {
  if (text.size() == 1) return text == "8" || text == "9";
  return text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5';
}

bool can_keep(std::string_view parameters) {
  std::set<std::string> seen;
  while (!parameters.empty()) {
    std::string_view rest = take_until(parameters, ';');
    const std::string name = lower_case(take_until(rest, '='));
    const std::string_view value = unquoted(without_blanks(rest));
    if (!seen.insert(name).second) return false;
    const bool flag = name == "server_no_context_takeover" || name == "client_no_context_takeover";
    if (flag ? !value.empty()
             : name != "client_max_window_bits" || (!value.empty() && !is_window(value)))
      return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> accept_deflate(std::string_view offers) {
  while (!offers.empty()) {
    std::string_view parameters = take_until(offers, ',');
    const std::string_view name = take_until(parameters, ';');
    if (lower_case(name) == "permessage-deflate" && can_keep(parameters))
      return "permessage-deflate; server_no_context_takeover";
  }
  return std::nullopt;
}

}  // namespace ipnscast::nostr::net
