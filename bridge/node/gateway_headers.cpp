#include "ipnscast/bridge/node/gateway_headers.h"

#include <algorithm>

#include "ipnscast/bridge/node/content_disposition.h"
#include "ipnscast/nostr/base/percent.h"

namespace ipnscast::bridge {
namespace {

// All headers of an answer have to fit into 8 KiB.
constexpr size_t kMaxHeaderBytes = 1536;

// RFC 3986, pchar and "/"
std::string url_path(std::string_view path) { return percent_encoded(path, "/!$&'()*+,;=:@"); }

void add_short(Headers& headers, const char* name, std::string value) {
  if (value.size() <= kMaxHeaderBytes) headers[name] = std::move(value);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

void add_common_headers(Headers& headers) {
  headers["access-control-allow-origin"] = "*";
  headers["access-control-allow-methods"] = "GET, HEAD, OPTIONS";
  // Browsers of before 2019 know no "*".
  headers["access-control-allow-headers"] =
      "Cache-Control, Content-Type, If-Match, If-None-Match, If-Range, Range, User-Agent, "
      "X-Requested-With, *";
  headers["access-control-expose-headers"] =
      "Accept-Ranges, Content-Disposition, Content-Length, Content-Location, Content-Range, Etag, "
      "Retry-After, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output";
  headers["x-content-type-options"] = "nosniff";
}

void add_origin_headers(Headers& headers, const HttpRequest& request, const WantedAnswer& wanted,
                        const std::string& default_filename) {
  const std::string path = url_path(request.path);
  add_short(headers, "x-ipfs-path", path);
  if (wanted.canonical_query)
    add_short(headers, "content-location", path + '?' + *wanted.canonical_query);
  const auto filename = nostr::net::query_value(request, "filename");
  headers["content-disposition"] =
      attachment_named(filename && !filename->empty() ? *filename : default_filename);
}

void add_roots_header(Headers& headers, const std::vector<sync::Cid>& roots) {
  std::string out;
  for (const sync::Cid& root : roots) {
    if (!out.empty()) out += ',';
    out += root.to_string();
    if (out.size() > kMaxHeaderBytes) return;
  }
  headers["x-ipfs-roots"] = out;
}

bool wants_cached_only(const HttpRequest& request) {
  std::string_view rest = header_of(request, "cache-control");
  while (!rest.empty()) {
    std::string_view directive = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), directive.size() + 1));
    while (!directive.empty() && directive.front() == ' ') directive.remove_prefix(1);
    while (!directive.empty() && directive.back() == ' ') directive.remove_suffix(1);
    if (equals_ignoring_case(directive, "only-if-cached")) return true;
  }
  return false;
}

}  // namespace ipnscast::bridge
