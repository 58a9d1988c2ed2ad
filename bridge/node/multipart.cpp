#include "ipnscast/bridge/node/multipart.h"

#include <algorithm>
#include <optional>

#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/base/text/blanks.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxParts = 1000;
constexpr size_t kMaxPartHeaders = 8 * 1024;
constexpr size_t kMaxBoundary = 70;  // RFC 2046 section 5.1.1

// The value of `name` in `type; name=value; name="value"`. Values of ours hold no escaped quotes.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  size_t at = header.find(';');
  while (at != header.npos) {
    const size_t equals = header.find('=', at);
    if (equals == header.npos) return std::nullopt;
    const std::string_view key = without_blanks(header.substr(at + 1, equals - at - 1));
    std::string_view rest = header.substr(equals + 1);
    size_t end = rest.find(';');
    std::string_view value = without_blanks(rest.substr(0, end));
    if (!rest.empty() && rest.front() == '"') {
      const size_t quote = rest.find('"', 1);
      if (quote == rest.npos) return std::nullopt;
      value = rest.substr(1, quote - 1);
      end = rest.find(';', quote);
    }
    if (lower_case(key) == name) return std::string(value);
    at = end == rest.npos ? header.npos : equals + 1 + end;
  }
  return std::nullopt;
}

void read_header(std::string_view line, MultipartPart& part) {
  const size_t colon = line.find(':');
  if (colon == line.npos) return;
  const std::string name = lower_case(line.substr(0, colon));
  const std::string_view value = without_blanks(line.substr(colon + 1));
  if (name == "content-disposition") part.name = parameter(value, "name").value_or("");
  if (name == "content-type") part.content_type = lower_case(value);
}

void read_headers(std::string_view headers, MultipartPart& part) {
  while (!headers.empty()) {
    const size_t end = headers.find("\r\n");
    read_header(headers.substr(0, end), part);
    if (end == headers.npos) return;
    headers.remove_prefix(end + 2);
  }
}

}  // namespace

Result<std::vector<MultipartPart>> parse_multipart(std::string_view content_type, ByteView body) {
  const auto malformed = [](const char* what) {
    return fail(Errc::parse, std::string("multipart body: ") + what);
  };
  if (lower_case(content_type).rfind("multipart/", 0) != 0)
    return malformed("want multipart/form-data");
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) {
    return malformed("no boundary");
  }
  const std::string delimiter = "\r\n--" + *boundary;
  std::string_view rest = as_text(body);
  // The first delimiter may stand at the very start, without the line break that belongs to it.
  if (rest.rfind(std::string_view(delimiter).substr(2), 0) == 0) {
    rest.remove_prefix(delimiter.size() - 2);
  } else {
    const size_t start = rest.find(delimiter);
    if (start == rest.npos) return malformed("the first boundary is missing");
    rest.remove_prefix(start + delimiter.size());
  }
  std::vector<MultipartPart> out;
  while (rest.rfind("--", 0) != 0) {
    if (out.size() >= kMaxParts) return malformed("too many parts");
    if (rest.rfind("\r\n", 0) != 0) return malformed("the last boundary is missing");
    rest.remove_prefix(2);
    MultipartPart part;
    const size_t blank = rest.substr(0, kMaxPartHeaders).find("\r\n\r\n");
    const bool no_headers = rest.rfind("\r\n", 0) == 0;
    if (!no_headers && blank == rest.npos) return malformed("a part's headers do not end");
    if (!no_headers) read_headers(rest.substr(0, blank), part);
    rest.remove_prefix(no_headers ? 0 : blank + 2);
    // `rest` starts with the line break before the body, which an empty body shares with its
    // delimiter.
    const size_t end = rest.find(delimiter);
    if (end == rest.npos) return malformed("the last boundary is missing");
    const std::string_view bytes = end < 2 ? std::string_view() : rest.substr(2, end - 2);
    part.body = as_bytes(bytes);
    out.push_back(std::move(part));
    rest.remove_prefix(end + delimiter.size());
  }
  return out;
}

}  // namespace ipnscast::bridge
