#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ipnscast/sync/config.h"

namespace ipnscast::sync {

// What of its configuration decides what a publish does, by key of the file: where to, under which
// identity, in which form. Without secrets.
nlohmann::json holder_facts(const Config& config);

// Whether the holder of a state directory would do what this configuration says. It may have more
// relays and gateways. Errc::invalid, naming the key and both values.
Status check_holder(const nlohmann::json& facts, const Config& config);

}  // namespace ipnscast::sync
