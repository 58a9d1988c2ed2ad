#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/sync/gateway/gateway_book.h"

namespace ipnscast::sync {

// Which own node decides between the devices that write one name (publish.decider). They all have
// to go to the same one. So this follows the configuration and what nodes offer, never who answers
// at the moment: behind a node of which nothing is known yet, no other one is taken.
//
// "none": nobody. A URL: that node, on loopback too, unless it is known to offer no preconditions.
// Empty: the first node that offers them and is not at a loopback address. Nodes are gateways of
// tier 1 that may be used for publishing.
std::optional<size_t> choose_decider(const gateway::GatewayBook& book, std::string_view setting);

// Whether the setting is empty, "none", or one of these nodes. Errc::invalid with what to do.
Status check_decider(std::string_view setting, const std::vector<std::string>& node_urls);

}  // namespace ipnscast::sync
