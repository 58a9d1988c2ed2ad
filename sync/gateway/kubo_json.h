#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync::gateway {

// What Kubo's RPC answers with. Private to those who speak it.

// Empty when there is none, or no text.
std::string kubo_text(const nlohmann::json& object, const char* name);

// The error object that a command answers with, at once (HTTP 500) or as a late line. Its words are
// cut to 300 bytes.
std::optional<Error> kubo_error(const nlohmann::json& object);

}  // namespace ipnscast::sync::gateway
