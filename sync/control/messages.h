#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "ipnscast/sync/devices/device.h"
#include "ipnscast/sync/publish/outcome.h"
#include "ipnscast/sync/state/status.h"

// What publishing takes and gives, as JSON and back. Reading throws nlohmann::json::exception where
// a member is missing or of another type.
namespace ipnscast::sync::control {

// Without callbacks and stop token; the deadline as what is left of it.
nlohmann::json options_json(const PublishOptions& options);
PublishOptions options_from(const nlohmann::json& json);

nlohmann::json progress_json(const PublishProgress& progress);
PublishProgress progress_from(const nlohmann::json& json);

nlohmann::json outcome_json(const Outcome& outcome);
Result<Outcome> outcome_from(const nlohmann::json& json);

nlohmann::json lost_json(const std::vector<LostPublish>& lost);
std::vector<LostPublish> lost_from(const nlohmann::json& json);

nlohmann::json devices_json(const std::vector<Device>& devices);
Result<std::vector<Device>> devices_from(const nlohmann::json& json);

nlohmann::json version_json(const std::optional<Version>& version);
Version version_from(const nlohmann::json& json);

// What is left until then, in milliseconds; null: there is no deadline.
nlohmann::json left_json(std::optional<Instant> deadline);
std::optional<Instant> deadline_from(const nlohmann::json& left);

// Base64.
Result<Bytes> bytes_from(const nlohmann::json& json);

}  // namespace ipnscast::sync::control
