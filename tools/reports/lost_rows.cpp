#include "ipnscast/tools/reports/lost_rows.h"

#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/json_text.h"

namespace ipnscast::tools {

void print_lost(Context& context, const sync::IpnsName& name,
                const std::vector<sync::LostPublish>& lost) {
  if (context.json) {
    auto list = nlohmann::ordered_json::array();
    for (const sync::LostPublish& one : lost) {
      list.push_back({{"sequence", std::to_string(one.ours.sequence.value)},
                      {"value", one.ours.value},
                      {"by_sequence", std::to_string(one.theirs.sequence.value)},
                      {"by_value", one.theirs.value},
                      {"conflict", one.conflict},
                      {"certain", one.certain}});
    }
    return print_line(dump({{"name", name.to_string()}, {"lost", std::move(list)}}));
  }
  for (const sync::LostPublish& one : lost) {
    print_line("sequence " + std::to_string(one.ours.sequence.value) + "  " + one.ours.value +
               "  displaced by sequence " + std::to_string(one.theirs.sequence.value) + "  " +
               one.theirs.value +
               (one.certain ? "" : "  (perhaps: it does not say what it was made of)"));
  }
  if (lost.empty())
    return print_line("nothing that was published under " + name.to_string() + " is lost");
  print_line("read one with ipnscast get VALUE -o FILE, publish it again with ipnscast publish " +
             name.to_string() + " --cid VALUE, or strike them off with ipnscast forget " +
             name.to_string() + " --lost");
}

std::string lost_line(const sync::IpnsName& name, size_t many) {
  return std::to_string(many) +
         (many == 1 ? " publish of this device was" : " publishes of this device were") +
         " displaced: ipnscast history " + name.to_string() + " --lost";
}

void say_lost(Context& context, const sync::IpnsName& name,
              const std::vector<sync::LostPublish>& lost) {
  context.displaced = lost.size();
  if (context.json || lost.empty()) return;
  print_note(lost_line(name, lost.size()));
}

}  // namespace ipnscast::tools
