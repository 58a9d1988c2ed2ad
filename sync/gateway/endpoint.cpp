#include "sync/gateway/endpoint.h"

#include <algorithm>
#include <cctype>

namespace ipnscast::sync::gateway {
namespace {

constexpr size_t kMaxQuoted = 160;

// What a server says about an error, fit for a log line.
std::string first_line(ByteView body) {
  std::string out;
  for (const uint8_t byte : body) {
    if (byte == '\n' || byte == '\r' || out.size() == kMaxQuoted) break;
    out += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  }
  return out;
}

Errc errc_of(const HttpHead& head) {
  switch (head.status) {
    case 404:
    case 410:
      return Errc::not_found;
    case 429:
      return Errc::busy;
    case 503:
      return head.retry_after.count() > 0 ? Errc::busy : Errc::unreachable;
    case 401:
    case 403:
    case 451:
      return Errc::refused;
    case 400:
    case 405:
    case 406:
    case 412:
    case 501:
      return Errc::unsupported;
    default:
      return Errc::unreachable;
  }
}

}  // namespace

HttpCall Endpoint::call(std::string_view method, std::string_view path) const {
  HttpCall out;
  out.method = method;
  out.url = url;
  while (!out.url.empty() && out.url.back() == '/') out.url.pop_back();
  out.url += path;
  if (!authorization.empty()) out.headers.emplace_back("Authorization", authorization);
  return out;
}

Status check_status(const HttpAnswer& answer) {
  if (answer.head.status == 200) return {};
  std::string text = "HTTP " + std::to_string(answer.head.status);
  if (media_type(answer.head).substr(0, 10) == "text/plain") text += ": " + first_line(answer.body);
  return fail(errc_of(answer.head), std::move(text));
}

Speaks speaks_perhaps(const HttpAnswer& answer) {
  const int status = answer.head.status;
  if (status < 400 || status == 405 || status == 501 || media_type(answer.head) == "text/html")
    return Speaks::no;
  return as_text(answer.body).find("404 page not found") == std::string_view::npos ? Speaks::perhaps
                                                                                   : Speaks::no;
}

std::string media_type(const HttpHead& head) {
  const std::string_view value = head.header("content-type");
  std::string out(value.substr(0, value.find_first_of("; ")));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace ipnscast::sync::gateway
