#include "ipnscast/sync/state_beside.h"

#include <algorithm>

namespace ipnscast::sync {
namespace {

constexpr size_t kLongestLabel = 64;

bool may_be_in_a_label(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

Result<std::filesystem::path> place_beside(const std::filesystem::path& state_dir,
                                           const std::string& label) {
  if (!label.empty() && label.size() <= kLongestLabel &&
      std::ranges::all_of(label, may_be_in_a_label))
    return state_dir / "as" / label;
  return fail(Errc::invalid,
              "\"" + label + "\" is no label: want 1 to 64 letters, digits, - and _");
}

Config config_beside(Config config, const std::filesystem::path& place) {
  config.known_dir = std::move(config.state_dir);
  config.state_dir = place;
  config.cache_dir.clear();
  config.take_commands = false;
  config.announce_device = false;
  return config;
}

}  // namespace ipnscast::sync
