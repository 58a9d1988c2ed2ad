#include "ipnscast/bridge/node/byte_ranges.h"

#include <algorithm>
#include <charconv>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/text/blanks.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxByteRanges = 16;

// A number that is too large for us lies beyond every body.
std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t out = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (text.empty() || stop != end) return std::nullopt;
  return error == std::errc::result_out_of_range ? UINT64_MAX : out;
}

// "5-9", "5-" or "-5". An empty range when it lies beyond the body; nothing when it is malformed.
std::optional<BodyRange> parse_range(std::string_view text, uint64_t size) {
  const size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const std::string_view after = text.substr(dash + 1);
  if (dash == 0) {
    const auto count = parse_number(after);
    if (!count) return std::nullopt;
    return BodyRange{size - std::min(*count, size), size};
  }
  const auto first = parse_number(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (after.empty()) return BodyRange{std::min(*first, size), size};
  const auto last = parse_number(after);
  if (!last || *last < *first) return std::nullopt;
  if (*first >= size) return BodyRange{};
  return BodyRange{*first, std::min(*last, size - 1) + 1};
}

std::string content_range(const BodyRange& range, uint64_t size) {
  return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.end - 1) + '/' +
         std::to_string(size);
}

ByteView part_of(const Bytes& body, const BodyRange& range) {
  return ByteView(body).subspan(range.first, range.end - range.first);
}

Bytes multipart_of(const HttpResponse& whole, const std::vector<BodyRange>& ranges,
                   const std::string& boundary) {
  Bytes out;
  for (const BodyRange& range : ranges) {
    append(out,
           as_bytes("\r\n--" + boundary + "\r\nContent-Type: " + whole.headers.at("content-type") +
                    "\r\nContent-Range: " + content_range(range, whole.body.size()) + "\r\n\r\n"));
    append(out, part_of(whole.body, range));
  }
  append(out, as_bytes("\r\n--" + boundary + "--\r\n"));
  return out;
}

}  // namespace

std::optional<std::vector<BodyRange>> parse_ranges(std::string_view header, uint64_t size) {
  const size_t equals = header.find('=');
  if (equals != 5) return std::nullopt;
  for (size_t i = 0; i < equals; ++i) {
    if ((header[i] | 0x20) != "bytes"[i]) return std::nullopt;
  }
  std::string_view rest = header.substr(equals + 1);
  std::vector<BodyRange> out;
  size_t count = 0;
  while (!rest.empty()) {
    const std::string_view one = without_blanks(rest.substr(0, rest.find(',')));
    rest.remove_prefix(
        std::min(rest.size(), rest.find(',') == rest.npos ? rest.size() : rest.find(',') + 1));
    if (one.empty()) continue;
    const auto range = parse_range(one, size);
    if (!range || ++count > kMaxByteRanges) return std::nullopt;
    if (range->first < range->end) out.push_back(*range);
  }
  if (count == 0) return std::nullopt;
  return out;
}

HttpResponse cut_to_ranges(HttpResponse whole, const HttpRequest& request) {
  whole.headers["accept-ranges"] = "bytes";
  const std::string_view condition = header_of(request, "if-range");
  if (request.method != "GET") return whole;
  if (!condition.empty() && condition != whole.headers.at("etag")) return whole;
  const uint64_t size = whole.body.size();
  const auto ranges = parse_ranges(header_of(request, "range"), size);
  // Those who ask for "all from 0 on" of whatever they get can do without an error for nothing.
  if (!ranges || size == 0) return whole;
  if (ranges->empty()) {
    HttpResponse out =
        text_answer(416, "the range lies beyond the block of " + std::to_string(size) + " bytes");
    out.headers["content-range"] = "bytes */" + std::to_string(size);
    out.headers["accept-ranges"] = "bytes";
    return out;
  }
  uint64_t together = 0;
  for (const BodyRange& range : *ranges) together += range.end - range.first;
  if (ranges->size() > 1 && together > size) return whole;
  whole.status = 206;
  if (ranges->size() == 1) {
    whole.headers["content-range"] = content_range(ranges->front(), size);
    whole.body = to_bytes(part_of(whole.body, ranges->front()));
    return whole;
  }
  // Nobody can have put a boundary that is made up now into the block.
  const std::string boundary = to_hex(random_bytes(16));
  whole.body = multipart_of(whole, *ranges, boundary);
  whole.headers["content-type"] = "multipart/byteranges; boundary=" + boundary;
  return whole;
}

}  // namespace ipnscast::bridge
