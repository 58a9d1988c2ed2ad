#pragma once

#include <string_view>

namespace ipnscast::nostr::net {

// Without the blanks around it that a header's value may have: spaces and tabs. RFC 9110 section
// 5.6.3
inline std::string_view without_blanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace ipnscast::nostr::net
