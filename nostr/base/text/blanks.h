#pragma once

#include <string_view>

namespace ipnscast {

// Without any of these characters at its ends.
inline std::string_view without_ends(std::string_view text, std::string_view characters) {
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

// Without the blanks around it that a header's value or an item of a list may have: spaces and
// tabs. RFC 9110 section 5.6.3
inline std::string_view without_blanks(std::string_view text) { return without_ends(text, " \t"); }

// Without the white space around it that an editor or a shell leaves in a file.
inline std::string_view without_space(std::string_view text) {
  return without_ends(text, " \t\r\n");
}

}  // namespace ipnscast
