#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ipnscast::tools {

// What is wrong with how the program was called, for the person who typed `words`: which word, what
// was to stand there, and where to read on. One line.
std::string usage_problem(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words);

// True when what was typed before --help is no command at all.
bool names_no_command(const CLI::App& app);

// The command that these words name, below `app`; null when there is none.
const CLI::App* find_command(const CLI::App& app, const std::vector<std::string>& words);

// "unknown command "wach": did you mean "watch"?..." of the first word that is none.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace ipnscast::tools
