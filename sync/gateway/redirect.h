#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync::gateway {

inline constexpr int kMostRedirects = 5;

// True for the answers that send a request elsewhere: 301, 302, 303, 307 and 308.
bool is_redirect_status(int status);

// Errc::refused for an .onion name: asking DNS for one tells everybody (RFC 7686), and gateways are
// not reached through Tor. Whether the URL is one, libcurl says.
Status check_host(const std::string& url);

// What a stranger wrote, in quotes and fit for one line.
std::string in_quotes(std::string_view text);

struct Origin {
  std::string scheme;  // in lower case, as is the host
  std::string host;    // without a last dot, and IPv6 without brackets
  std::string port;    // the scheme's own where the URL has none
  bool operator==(const Origin&) const = default;
};

// All parts are empty for what is no URL.
Origin origin_of(const std::string& url);

// Where a redirect leads.
struct Hop {
  std::string url;          // absolute, without user, password and fragment
  bool own_origin = false;  // scheme, host and port of the call itself
};

// Reads the Location of an answer that came from `from`, in a call that was made for `call_url`.
// Errc::refused for what is neither http nor https, for the way from https to http, and for what
// check_host() refuses; Errc::invalid for what is no URL. Where it leads is checked by address when
// the socket is made (HttpTransfer).
Result<Hop> next_hop(const std::string& call_url, const std::string& from,
                     std::string_view location);

}  // namespace ipnscast::sync::gateway
