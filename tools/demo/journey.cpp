#include "ipnscast/tools/demo/journey.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools::demo {
namespace {

double milliseconds(Microseconds time) { return static_cast<double>(time.count()) / 1000; }

// "12.3 ms", as wide as the column.
std::string cell(const std::optional<Microseconds>& time) {
  char text[32] = "";
  if (time) std::snprintf(text, sizeof(text), "%.1f ms", milliseconds(*time));
  std::string out(text);
  return std::string(out.size() < 12 ? 12 - out.size() : 0, ' ') + out;
}

}  // namespace

void print_journey(const Journey& journey) {
  print_line("");
  print_line(journey.title);
  print_line("  sequence " + journey.sequence + ", " + journey.cid);
  size_t width = 0;
  for (const Hop& hop : journey.hops) width = std::max(width, hop.what.size());
  print_line("  " + std::string(width, ' ') + "        took   since start");
  for (const Hop& hop : journey.hops) {
    print_line("  " + hop.what + std::string(width - hop.what.size(), ' ') + cell(hop.took) + "  " +
               cell(hop.at) + "   " + hop.where);
  }
}

nlohmann::ordered_json to_json(const Journey& journey) {
  nlohmann::ordered_json hops = nlohmann::json::array();
  for (const Hop& hop : journey.hops) {
    nlohmann::ordered_json row = {{"hop", hop.what}, {"where", hop.where}};
    if (hop.took) row["took_ms"] = milliseconds(*hop.took);
    if (hop.at) row["at_ms"] = milliseconds(*hop.at);
    hops.push_back(std::move(row));
  }
  return {{"journey", journey.title},
          {"name", journey.name},
          {"sequence", journey.sequence},
          {"cid", journey.cid},
          {"hops", std::move(hops)}};
}

}  // namespace ipnscast::tools::demo
