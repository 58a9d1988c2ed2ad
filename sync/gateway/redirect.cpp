#include "ipnscast/sync/gateway/redirect.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace ipnscast::sync::gateway {
namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

constexpr size_t kMostShown = 200;

CurlUrl parsed(const std::string& url) {
  CurlUrl out(curl_url(), &curl_url_cleanup);
  if (out && curl_url_set(out.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) out.reset();
  return out;
}

std::string part(const CurlUrl& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string host_of(const CurlUrl& url) {
  std::string host = lower(part(url, CURLUPART_HOST));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_onion(const CurlUrl& url) {
  const std::string host = host_of(url);
  return host == "onion" || host.ends_with(".onion");
}

Origin origin_of(const CurlUrl& url) {
  Origin out{lower(part(url, CURLUPART_SCHEME)), host_of(url), part(url, CURLUPART_PORT)};
  if (out.host.starts_with('[') && out.host.ends_with(']'))
    out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

Error no_onion() { return {Errc::refused, "an .onion name: gateways are not reached through Tor"}; }

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out(text.substr(0, kMostShown));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return '"' + out + '"';
}

bool is_redirect_status(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Origin origin_of(const std::string& url) {
  const CurlUrl parts = parsed(url);
  return parts ? origin_of(parts) : Origin{};
}

Status check_host(const std::string& url) {
  const CurlUrl parts = parsed(url);
  if (parts && is_onion(parts)) return fail(no_onion());
  return {};
}

Result<Hop> next_hop(const std::string& call_url, const std::string& from,
                     std::string_view location) {
  const CurlUrl start = parsed(call_url);
  const CurlUrl here = parsed(from);
  CurlUrl there = parsed(from);
  if (!start || !here || !there) return fail(Errc::invalid, "not a URL");
  if (curl_url_set(there.get(), CURLUPART_URL, std::string(location).c_str(),
                   CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK) {
    return fail(Errc::invalid, "a redirect to " + in_quotes(location) + ", which is no URL");
  }
  const std::string scheme = lower(part(there, CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") {
    return fail(Errc::refused, "a redirect to " + in_quotes(location) +
                                   " is not followed: neither http nor https");
  }
  if (scheme == "http" && lower(part(here, CURLUPART_SCHEME)) == "https") {
    return fail(Errc::refused, "a redirect to " + in_quotes(location) +
                                   " is not followed: it leads away from https");
  }
  if (is_onion(there)) return fail(no_onion());
  for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT})
    curl_url_set(there.get(), secret, nullptr, 0);
  const bool own_origin = origin_of(start) == origin_of(there);
  char* url = nullptr;
  if (curl_url_get(there.get(), CURLUPART_URL, &url, 0) != CURLUE_OK)
    return fail(Errc::invalid, "a redirect to " + in_quotes(location) + ", which is no URL");
  Hop out{url, own_origin};
  curl_free(url);
  return out;
}

}  // namespace ipnscast::sync::gateway
