#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// One file or field of a multipart/form-data body. RFC 7578.
struct MultipartPart {
  std::string name;
  std::string content_type;
  ByteView body;  // inside of the whole body
};

// Splits a body. `content_type` is the request's header, which names the boundary. At most 1,000
// parts with 8 KiB of headers each. Errc::parse, also when the last boundary is missing (a cut
// upload).
Result<std::vector<MultipartPart>> parse_multipart(std::string_view content_type, ByteView body);

}  // namespace ipnscast::bridge
