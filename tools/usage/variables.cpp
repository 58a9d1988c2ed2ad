#include "ipnscast/tools/usage/variables.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/tools/usage/arguments.h"

extern char** environ;

namespace ipnscast::tools {
namespace {

constexpr std::string_view kBegin = "IPNSCAST_";
constexpr size_t kSlip = 2;  // letters

// Those that set something.
std::vector<std::string> setting_variables() {
  std::vector<std::string> out = {"IPNSCAST_PASSWORD"};
  for (const auto& option : bridge::options()) out.push_back(bridge::environment_name(option));
  return out;
}

// Those that `watch` gives to its commands, which may call us again.
bool is_for_commands(std::string_view name) {
  for (const std::string_view known :
       {"NAME", "CID", "SEQUENCE", "PREVIOUS", "PATH", "OURS", "THEIRS", "MERGED"}) {
    if (name.substr(kBegin.size()) == known) return true;
  }
  return false;
}

}  // namespace

void check_variables() {
  const std::vector<std::string> known = setting_variables();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with(kBegin) || is_for_commands(name)) continue;
    const std::string nearest = bridge::nearest(name, known);
    if (nearest != name && bridge::edit_distance(name, nearest) <= kSlip)
      refuse_value(name, "no variable of this name is read: did you mean " + nearest + "?");
  }
}

}  // namespace ipnscast::tools
