#include "ipnscast/tools/look/rows.h"

#include <algorithm>

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kFirstColumn = 7;
// What is longer does not push the columns of all other rows to the right.
constexpr size_t kWidestColumn = 72;

std::vector<size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<size_t> out = {kFirstColumn};
  for (const Row& row : rows) {
    out.resize(std::max(out.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t size = row[i].text.size();
      if (size <= kWidestColumn) out[i] = std::max(out[i], size);
    }
  }
  return out;
}

}  // namespace

void print_rows(const Screen& screen, const std::vector<Row>& rows) {
  std::vector<Row> shown = rows;
  for (Row& row : shown) {
    while (!row.empty() && row.back().text.empty()) row.pop_back();
    for (Cell& cell : row) cell.text = shown_text(cell.text);
  }
  const std::vector<size_t> widths = widths_of(shown);
  for (const Row& row : shown) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += screen.painted(row[i].colour, row[i].text);
      if (i + 1 == row.size()) break;
      line.append(widths[i] - std::min(widths[i], row[i].text.size()) + 2, ' ');
    }
    print_lines(line);
  }
}

std::string counted(size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace ipnscast::tools
