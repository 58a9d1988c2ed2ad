#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ipnscast/sync/client.h"

namespace ipnscast::bridge {

// What there is to show of a process: counted things by name, operations, gateways.
struct Telemetry {
  std::vector<std::pair<std::string, uint64_t>> counters;  // names as Prometheus has them
  sync::Metrics metrics;
  std::string prometheus;  // the same and more, as text for Prometheus
  std::vector<sync::GatewayStatus> gateways;
  std::vector<std::string> troubles;  // why it does not do its work now; none: it does
};

// The page, as HTML.
std::string telemetry_page(const std::string& title, const Telemetry& telemetry);
// Counters and what else Prometheus is told.
std::string telemetry_text(const Telemetry& telemetry);
// For /health: "ok", or a line for each trouble.
std::string health_text(const Telemetry& telemetry);

}  // namespace ipnscast::bridge
