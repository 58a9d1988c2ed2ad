#pragma once

#include <string>
#include <vector>

#include "ipnscast/tools/cli/screen.h"

namespace ipnscast::tools {

// One word or phrase of a row. Text from strangers is made fit for a terminal when it is printed.
struct Cell {
  std::string text;
  Colour colour = Colour::none;
};
using Row = std::vector<Cell>;

// Prints the rows with their columns below each other, two spaces between them. The first column is
// at least as wide as "gateway", so that groups of rows align.
void print_rows(const Screen& screen, const std::vector<Row>& rows);

// "1 change", "2 changes".
std::string counted(size_t count, const std::string& thing);

}  // namespace ipnscast::tools
