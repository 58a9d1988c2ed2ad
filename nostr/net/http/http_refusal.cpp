#include "ipnscast/nostr/net/http/http_refusal.h"

#include <algorithm>
#include <charconv>

#include "ipnscast/nostr/base/http_date.h"

namespace ipnscast::nostr::net {
namespace {

constexpr int64_t kLongestSeconds = 24 * 3600;

const char* meaning(int status) {
  switch (status) {
    case 401:
    case 403:
      return "it does not let us in: does it want a payment, an invitation, or another network?";
    case 404:
    case 410:
      return "no relay is there: check the path of its URL";
    case 429:
      return "too many connections for it: fewer, or later";
    case 200:
    case 400:
    case 426:
      return "a web server answers, but not as a relay: check its URL";
    default:
      break;
  }
  if (status >= 500) return "the relay is down for now";
  if (status >= 300 && status < 400) return "it has moved: find its new URL";
  return "it did not accept the WebSocket";
}

}  // namespace

Milliseconds retry_after(std::string_view header, UnixMillis now) {
  int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (failed != std::errc() || end != header.data() + header.size()) {
    const auto date = parse_http_date(header);
    if (!date) return Milliseconds(0);
    seconds = date->value - now.value / 1000;
  }
  return Seconds(std::clamp<int64_t>(seconds, 0, kLongestSeconds));
}

Closed http_refusal(const std::string& host, int status, Milliseconds wait) {
  Closed out;
  out.reason = CloseReason::http_status;
  out.code = status;
  out.text = host + ": HTTP " + std::to_string(status) + ": " + meaning(status);
  out.permanent = status == 401 || status == 403 || status == 404 || status == 410 ||
                  (status >= 300 && status < 400);
  out.retry_after = wait;
  return out;
}

}  // namespace ipnscast::nostr::net
