#include "ipnscast/tools/reports/facts.h"

namespace ipnscast::tools {

void print_facts(const Context& context, const nlohmann::ordered_json& facts) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  if (context.json) return print_line(facts.dump(-1, ' ', false, kReplace));
  size_t width = 0;
  for (const auto& [name, value] : facts.items()) width = std::max(width, name.size());
  for (const auto& [name, value] : facts.items()) {
    if (value.is_null()) continue;
    std::string line = name;
    line.resize(width + 2, ' ');
    line += value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, kReplace);
    print_line(line);
  }
}

}  // namespace ipnscast::tools
