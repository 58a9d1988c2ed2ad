#pragma once

#include <functional>
#include <string>

#include "ipnscast/sync/gateway/redirect.h"

namespace ipnscast::sync::gateway {

// Reads one variable; null when it is not set.
using ReadVariable = std::function<const char*(const char* name)>;

// The proxy that the environment names for this origin, as libcurl reads the variables: http_proxy
// (in lower case only), https_proxy and HTTPS_PROXY, else all_proxy and ALL_PROXY; no_proxy and
// NO_PROXY list the hosts that are reached directly: names with all that is below them, addresses,
// networks such as 10.0.0.0/8, or * for all. Empty when the way is direct. We read them ourselves
// because libcurl does not tell before 8.7 whether it used a proxy, and to a proxy every address
// looks like its own.
std::string environment_proxy(const Origin& origin, const ReadVariable& read);

// The same decision for a host that others named, where `proxy` is what environment_proxy() says.
// The proxy looks names up, and may do so inside of the own network, so of such hosts only public
// addresses as such go through it, and what is below the host of `own`: whoever answers for that
// name could as well let it lead there itself. The way past the proxy would show the name and our
// address to others, so it is left to private addresses and localhost, which are not looked up and
// are checked when the socket is made. Errc::refused for every other name; `own` is empty for a
// call whose own host others named (R39).
Result<std::string> proxy_for_guarded(const Origin& there, const Origin& own, std::string proxy);

}  // namespace ipnscast::sync::gateway
