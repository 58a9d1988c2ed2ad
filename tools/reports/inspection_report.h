#pragma once

#include "ipnscast/sync/inspection/verdict.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Prints what `gateway probe` found out and what it means: a table, or with --json one object on a
// line.
void print_inspection(const Context& context, const sync::inspection::Report& report,
                      const sync::inspection::Verdict& verdict);

}  // namespace ipnscast::tools
