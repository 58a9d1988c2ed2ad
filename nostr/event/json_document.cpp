#include "ipnscast/nostr/event/json_document.h"

#include <bit>

#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/json/json_numbers.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kLeastCapacity = 64 * 1024;

struct JsonReader {
  simdjson::dom::parser parser;
  std::string padded;
};

// The value of four hex digits at `at`, or -1.
int code_unit(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int out = 0;
  for (const char c : text.substr(at, 4)) {
    const auto digit = std::string_view("0123456789abcdef")
                           .find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
    if (digit == std::string_view::npos) return -1;
    out = out * 16 + static_cast<int>(digit);
  }
  return out;
}

// True when there may be a \u escape. Written so that the compiler makes vector instructions of it:
// searching would stop at each of the many \" in a content that is JSON itself.
bool has_unicode_escape(std::string_view text) {
  int any = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    any |= static_cast<int>(text[i] == '\\') & static_cast<int>(text[i + 1] == 'u');
  }
  return any != 0;
}

// False when a \u escape is half of a surrogate pair: it names no character, yet simdjson lets some
// of them pass.
bool surrogates_pair_up(std::string_view text) {
  for (size_t i = text.find('\\'); i != std::string_view::npos; i = text.find('\\', i)) {
    if (i + 1 >= text.size() || text[i + 1] != 'u') {
      i += 2;
      continue;
    }
    const int unit = code_unit(text, i + 2);
    i += 6;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff || text.substr(std::min(i, text.size()), 2) != "\\u") return false;
    const int low = code_unit(text, i + 2);
    if (low < 0xdc00 || low > 0xdfff) return false;
    i += 6;
  }
  return true;
}

tl::unexpected<EventProblem> problem(EventFault fault, Errc code, std::string message) {
  return tl::unexpected<EventProblem>({fault, {code, std::move(message)}, std::nullopt});
}

simdjson::error_code parse_padded(JsonReader& reader, std::string_view text, size_t max_depth,
                                  simdjson::dom::element& out) {
  if (reader.parser.capacity() < text.size() || reader.parser.max_depth() != max_depth) {
    const auto failed =
        reader.parser.allocate(std::max(kLeastCapacity, std::bit_ceil(text.size())), max_depth);
    if (failed != simdjson::SUCCESS) return failed;
  }
  reader.padded.assign(text);
  reader.padded.append(simdjson::SIMDJSON_PADDING, ' ');
  return reader.parser.parse(reader.padded.data(), text.size(), false).get(out);
}

}  // namespace

Checked<simdjson::dom::element> parse_json(std::string_view text, size_t max_depth) {
  thread_local JsonReader reader;
  simdjson::dom::element root;
  auto failed = parse_padded(reader, text, max_depth, root);
  if (failed != simdjson::SUCCESS) {  // by one of two codes for numbers, as of simdjson 3.12
    if (const auto replaced = replace_wide_numbers(text)) {
      failed = parse_padded(reader, *replaced, max_depth, root);
    }
  }
  const bool may_be_escape = failed == simdjson::SUCCESS || failed == simdjson::STRING_ERROR;
  if (may_be_escape && has_unicode_escape(text) && !surrogates_pair_up(text)) {
    return problem(EventFault::escape, Errc::parse,
                   "an escape in the JSON is half a surrogate pair");
  }
  if (failed == simdjson::DEPTH_ERROR) {
    return problem(EventFault::json, Errc::too_large, "the JSON is nested too deep");
  }
  if (failed != simdjson::SUCCESS) {
    const bool is_text = failed != simdjson::UTF8_ERROR;
    return problem(EventFault::json, Errc::parse,
                   text.empty() ? "there is no JSON"
                   : is_text    ? "this is not JSON"
                                : "this is not UTF-8");
  }
  return root;
}

bool valid_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace ipnscast::nostr
