#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::tools {

// One line of JSON. Bytes that are no UTF-8 are replaced.
std::string dump(const nlohmann::ordered_json& value);

// RFC 3339 in UTC.
std::string rfc3339(UnixMillis time);

}  // namespace ipnscast::tools
