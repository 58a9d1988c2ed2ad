// Where the next request of a call goes, and which addresses it may reach.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

#include "ipnscast/nostr/base/public_address.h"
#include "ipnscast/sync/gateway/environment_proxy.h"
#include "ipnscast/sync/gateway/http_transfer.h"

namespace ipnscast::sync::gateway {
namespace {

// "127.0.0.1" and the port, of what a socket is about to connect to.
SocketAddress address_of(const sockaddr& address) {
  SocketAddress out;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    out.port = ntohs(v4.sin_port);
  } else if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    out.port = ntohs(v6.sin6_port);
  }
  out.ip = text;
  return out;
}

}  // namespace

// Where the next request goes, and by which way. False with refused_ set when there is no way that
// may be taken.
bool HttpTransfer::aim() {
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, url_.c_str());
  // Waiting for an HTTP/2 connection that is being opened is good only where HTTP/2 can come: over
  // TLS.
  const bool tls = curl_strnequal(url_.c_str(), "https://", 8) != 0;
  set(CURLOPT_HTTP_VERSION, tls ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_PIPEWAIT, tls ? 1L : 0L);
  set(CURLOPT_FRESH_CONNECT, found_stranger_ || call_.fresh_connection ? 1L : 0L);
  const Origin there = origin_of(url_);
  std::string proxy = environment_proxy(there, [](const char* name) { return std::getenv(name); });
  if (guarded_) {
    const bool ours = call_.named_by == NamedBy::configuration;
    auto allowed =
        proxy_for_guarded(there, ours ? origin_of(call_.url) : Origin{}, std::move(proxy));
    if (!allowed) {
      const std::string what = hops_ == 0
                                   ? "a host that others named is not asked: "
                                   : "a redirect to " + in_quotes(url_) + " is not followed: ";
      refused_ = fail(allowed.error().code, what + allowed.error().message);
      return false;
    }
    proxy = std::move(*allowed);
  }
  by_proxy_ = !proxy.empty();
  set(CURLOPT_PROXY, proxy.c_str());  // also when it is empty: libcurl would read the environment
  set(CURLOPT_NOPROXY, "");
  return good && set_headers();
}

// The request may go to this address: anywhere if its host is ours, or if it is the proxy's.
bool HttpTransfer::may_reach(const SocketAddress& there) const {
  return !guarded_ || by_proxy_ || is_public_address(there.ip) || (home_ && there == *home_);
}

// What libcurl is about to connect to, behind the look-up of the name: the place where R39 is kept
// for new connections, as a public name may lead anywhere, and elsewhere the next time.
curl_socket_t HttpTransfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto* const transfer = static_cast<HttpTransfer*>(self);
  SocketAddress there = address_of(address->addr);
  if (!transfer->may_reach(there)) {
    transfer->forbidden_ = std::move(there.ip);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The same place for connections that were open: one that the configuration allowed may lead to an
// address that a guarded request must not reach. Nothing of the request is sent before.
int HttpTransfer::before_request(void* self, char* ip, char*, int port, int) {
  auto* const transfer = static_cast<HttpTransfer*>(self);
  SocketAddress there{ip == nullptr ? "" : ip, static_cast<uint16_t>(port)};
  if (transfer->may_reach(there)) {
    transfer->request_begun_ = true;
    return CURL_PREREQFUNC_OK;
  }
  transfer->forbidden_ = std::move(there.ip);
  return CURL_PREREQFUNC_ABORT;
}

// The answer sends us elsewhere, and the request may go there: whoever writes may not. What is
// written is for the one it was sent to, and a request that changes something is never made at an
// address that a gateway chose. Such an answer is handed over as it is (check_status() has the
// words).
bool HttpTransfer::redirected() const {
  if (call_.method != "GET" && call_.method != "HEAD") return false;
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return is_redirect_status(static_cast<int>(status)) && !head_.header("location").empty();
}

Result<Hop> HttpTransfer::next() const {
  if (hops_ == kMostRedirects)
    return fail(Errc::refused, "more than " + std::to_string(kMostRedirects) + " redirects");
  return next_hop(call_.url, url_, head_.header("location"));
}

bool HttpTransfer::ask_again(CURLcode code) {
  if (code != CURLE_ABORTED_BY_CALLBACK || !refused_ || forbidden_.empty() || found_stranger_)
    return follow(code);
  found_stranger_ = true;  // the name may lead elsewhere by now
  forbidden_.clear();
  error_text_[0] = 0;
  return aim();
}

bool HttpTransfer::follow(CURLcode code) {
  if (code != CURLE_OK || !refused_ || head_delivered_ || !redirected()) return false;
  const auto hop = next();
  if (!hop) {
    refused_ = fail(hop.error());
    return false;
  }
  if (hops_ == 0 && !by_proxy_) {
    const char* ip = nullptr;
    long port = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_PORT, &port);
    home_ = SocketAddress{ip == nullptr ? "" : ip, static_cast<uint16_t>(port)};
  }
  earlier_ = timings().total;
  ++hops_;
  url_ = hop->url;
  left_origin_ = left_origin_ || !hop->own_origin;
  guarded_ = call_.named_by == NamedBy::others || !hop->own_origin;
  head_ = {};
  found_stranger_ = false;
  error_text_[0] = 0;
  redirect_body_ = 0;
  if (aim()) return true;
  if (refused_) refused_ = fail(Errc::internal, "libcurl takes no redirect");
  return false;
}

std::string HttpTransfer::forbidden_text() const {
  if (hops_ == 0) {
    return forbidden_ + " is not a public address, and this host was named by others";
  }
  return "a redirect to " + in_quotes(url_) + " is not followed: " + forbidden_ +
         " is not a public address; name it yourself if it is the right one";
}

}  // namespace ipnscast::sync::gateway
