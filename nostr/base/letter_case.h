#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace ipnscast {

// ASCII letters only, for names that are the same in every case: media types, names of headers.
inline std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace ipnscast
