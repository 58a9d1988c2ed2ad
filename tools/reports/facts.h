#pragma once

#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Prints one flat object: with --json on one line, else a line for each member that is there, its
// name and its value.
void print_facts(const Context& context, const nlohmann::ordered_json& facts);

}  // namespace ipnscast::tools
