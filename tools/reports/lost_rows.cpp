#include "ipnscast/tools/reports/lost_rows.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/log.h"
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
    print_line("sequence " + std::to_string(one.ours.sequence.value) + "  " +
               printable(one.ours.value) + "  displaced by sequence " +
               std::to_string(one.theirs.sequence.value) + "  " + printable(one.theirs.value) +
               (one.certain ? "" : "  (perhaps: it does not say what it was made of)"));
  }
  if (lost.empty())
    return print_line("nothing that was published under " + name.to_string() + " is lost");
  print_line("read one with ipnscast get VALUE -o FILE, publish it again with ipnscast publish " +
             name.to_string() + " --cid VALUE, or strike them off with ipnscast forget " +
             name.to_string() + " --lost");
}

void warn_of_lost(const sync::IpnsName& name, const std::vector<sync::LostPublish>& lost) {
  if (lost.empty()) return;
  const bool one = lost.size() == 1;
  log_warning("publish",
              (one ? "what this device published under " + name.to_string() + " as sequence " +
                         std::to_string(lost.front().ours.sequence.value) + " was"
                   : std::to_string(lost.size()) + " publishes of this device under " +
                         name.to_string() + " were") +
                  " displaced by another device: ipnscast history " + name.to_string() +
                  " --lost lists what");
}

}  // namespace ipnscast::tools
