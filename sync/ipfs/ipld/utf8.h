#pragma once

#include <string_view>

namespace ipnscast::sync {

// Well-formed UTF-8 (no overlong forms, surrogates or numbers beyond U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace ipnscast::sync
