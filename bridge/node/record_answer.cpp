#include "ipnscast/bridge/node/record_answer.h"

#include <algorithm>

#include "ipnscast/sync/gateway/delegated_routing.h"

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
  const std::string etag = sync::gateway::record_etag(record.bytes());
  const auto ttl = static_cast<int64_t>(
      std::min<uint64_t>(record.cacheable_ns() / 1'000'000'000, uint64_t{1} << 31));
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

HttpResponse stored_record_answer(int status, const std::optional<Bytes>& there) {
  HttpResponse out{status, {{"cache-control", "no-store"}}, {}};
  if (!there) return out;
  out.headers["content-type"] = kRecordType;
  out.headers["etag"] = sync::gateway::record_etag(*there);
  out.body = *there;
  return out;
}

Result<Precondition> record_precondition(const HttpRequest& request) {
  const auto header = [&](const char* name) -> std::optional<std::string_view> {
    const auto found = request.headers.find(name);
    if (found == request.headers.end()) return std::nullopt;
    return found->second;
  };
  return Precondition::parse(header("if-match"), header("if-none-match"));
}

void add_precondition_header(std::map<std::string, std::string>& headers) {
  headers[sync::gateway::kPreconditionHeader] = sync::gateway::kPreconditionToken;
}

}  // namespace ipnscast::bridge
