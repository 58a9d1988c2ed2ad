#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipnscast::tools {

// How a command is called, for its help: "key show" has "key show" and "key show work". Without
// the program's name. Every command has two or more.
std::vector<std::string_view> examples_of(std::string_view command);

}  // namespace ipnscast::tools
