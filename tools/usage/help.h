#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// The pages of --help: what a command takes, the options that stand everywhere, examples.
std::shared_ptr<CLI::FormatterBase> help_pages();

// Calls what the pages list below a command "Commands". Once all are there.
void name_groups(CLI::App& app);

// `ipnscast help COMMAND`: the same pages.
void add_help(CLI::App& app, Context& context);

}  // namespace ipnscast::tools
