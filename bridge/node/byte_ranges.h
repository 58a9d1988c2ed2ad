#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ipnscast/bridge/node/node_answer.h"

namespace ipnscast::bridge {

// Bytes [first, end) of a body.
struct BodyRange {
  uint64_t first = 0;
  uint64_t end = 0;
  bool operator==(const BodyRange&) const = default;
};

// What a Range header asks of a body of that size, those that lie beyond it left out. Nothing when
// the header has to be ignored: it is empty, of another unit, malformed, or asks for more than 16
// ranges. RFC 9110 section 14.
std::optional<std::vector<BodyRange>> parse_ranges(std::string_view header, uint64_t size);

// The whole answer (200, with its etag) cut down to what the request's Range header asks for: 206
// with one range, or with several as multipart/byteranges, 416 when all lie beyond the body, or
// as it is. Range counts for GET only, and with If-Range only when that names the same etag.
// Several ranges that are more than the body together are answered by the body, all of an empty
// body too.
HttpResponse cut_to_ranges(HttpResponse whole, const HttpRequest& request);

}  // namespace ipnscast::bridge
