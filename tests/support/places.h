#pragma once

#include <string>

namespace ipnscast::test {

// The project's root.
std::string source_folder();

// Where this was built.
std::string build_folder();

// The command line, as it was built beside the tests.
std::string program();

}  // namespace ipnscast::test
