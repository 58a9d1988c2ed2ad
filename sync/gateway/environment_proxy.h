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

}  // namespace ipnscast::sync::gateway
