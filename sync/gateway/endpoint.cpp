#include "ipnscast/sync/gateway/endpoint.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/gateway/redirect.h"

namespace ipnscast::sync::gateway {
namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

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
    case 409:
      return Errc::conflict;
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

Result<Endpoint> parse_endpoint(std::string_view url, std::string authorization) {
  const auto wrong = [&](const char* why) {
    // What may be a password is not repeated.
    const bool secret = url.find('@') != std::string_view::npos;
    return fail(Errc::invalid, (secret ? std::string("a gateway's URL") : std::string(url)) + ": " +
                                   why + "; want http(s)://HOST[:PORT][/PATH]");
  };
  const CurlUrl parts(curl_url(), &curl_url_cleanup);
  const std::string text(url);
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return wrong("no URL");
  const auto part = [&](CURLUPart which, unsigned flags = 0) -> std::optional<std::string> {
    char* found = nullptr;
    if (curl_url_get(parts.get(), which, &found, flags) != CURLUE_OK) return std::nullopt;
    const std::unique_ptr<char, decltype(&curl_free)> held(found, &curl_free);
    return std::string(found);
  };
  const auto scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return wrong("neither http nor https");
  if (part(CURLUPART_HOST).value_or("").empty()) return wrong("no host");
  if (part(CURLUPART_QUERY) || part(CURLUPART_FRAGMENT)) return wrong("a query or fragment");
  Endpoint out{text, std::move(authorization), NamedBy::configuration};
  const auto user = part(CURLUPART_USER, CURLU_URLDECODE);
  const auto password = part(CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (!user && !password) return out;
  const size_t start = text.find("://") + 3;
  out.url.erase(start, text.rfind('@', text.find_first_of("/?#", start)) + 1 - start);
  if (out.authorization.empty()) {
    out.authorization =
        "Basic " + to_base64(as_bytes(user.value_or("") + ":" + password.value_or("")));
  }
  return out;
}

HttpCall Endpoint::call(std::string_view method, std::string_view path) const {
  HttpCall out;
  out.method = method;
  out.named_by = named_by;
  out.url = url;
  while (!out.url.empty() && out.url.back() == '/') out.url.pop_back();
  out.url += path;
  if (!authorization.empty()) out.headers.emplace_back("Authorization", authorization);
  return out;
}

Status check_status(const HttpAnswer& answer) {
  if (answer.head.status == 200) return {};
  std::string text = "HTTP " + std::to_string(answer.head.status);
  if (const auto location = answer.head.header("location");
      is_redirect_status(answer.head.status) && !location.empty()) {
    // Of a request that may change something: GET and HEAD have followed it.
    return fail(Errc::refused, text + ": it sends us on to " + in_quotes(location) +
                                   ", where only reading follows: name that address yourself if it "
                                   "is the right one");
  }
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
