#include "ipnscast/bridge/node/record_answer.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::bridge {

bool has_etag(std::string_view if_none_match, std::string_view etag) {
  const auto strong = [](std::string_view tag) {
    return tag.rfind("W/", 0) == 0 ? tag.substr(2) : tag;
  };
  while (!if_none_match.empty()) {
    const size_t comma = if_none_match.find(',');
    std::string_view tag = if_none_match.substr(0, comma);
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (tag == "*" || (!tag.empty() && strong(tag) == strong(etag))) return true;
    if (comma == if_none_match.npos) return false;
    if_none_match.remove_prefix(comma + 1);
  }
  return false;
}

HttpResponse record_answer(const HttpRequest& request, const sync::IpnsRecord& record,
                           UnixMillis now) {
  const auto digest = sha256(ByteView(record.bytes()));
  const std::string etag = "\"" + to_hex(ByteView(digest).first(8)) + "\"";
  const auto ttl = static_cast<int64_t>(
      std::min<uint64_t>(record.fields().ttl_ns / 1'000'000'000, uint64_t{1} << 31));
  const int64_t left = record.fields().eol.seconds - now.value / 1000;
  HttpResponse out;
  out.headers = {
      {"content-type", kRecordType},
      {"etag", etag},
      {"cache-control", "public, max-age=" + std::to_string(std::clamp<int64_t>(left, 0, ttl))},
      {"vary", "Accept"},
      {"x-content-type-options", "nosniff"}};
  if (has_etag(header_of(request, "if-none-match"), etag)) {
    out.status = 304;
    return out;
  }
  out.body = record.bytes();
  return out;
}

}  // namespace ipnscast::bridge
