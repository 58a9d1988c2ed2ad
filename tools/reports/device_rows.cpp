#include "ipnscast/tools/reports/device_rows.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/reports/short_text.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kNameColumn = 20;

std::string ago(UnixMillis time) {
  const int64_t past = std::max<int64_t>(0, system_now().wall.value - time.value);
  return time_text(Milliseconds(past)) + " ago";
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

nlohmann::ordered_json facts_of(const std::vector<sync::Device>& devices) {
  auto out = nlohmann::ordered_json::array();
  for (const sync::Device& device : devices) {
    auto names = nlohmann::ordered_json::array();
    for (const auto& [name, applied] : device.applied) {
      names.push_back({{"name", name.to_string()},
                       {"sequence", std::to_string(applied.version.sequence.value)},
                       {"value", applied.version.value},
                       {"time", rfc3339(applied.at)}});
    }
    out.push_back({{"id", device.id},
                   {"name", device.name},
                   {"platform", device.platform},
                   {"version", device.version},
                   {"time", rfc3339(device.at)},
                   {"this", device.own},
                   {"names", std::move(names)}});
  }
  return out;
}

std::vector<std::string> device_rows(const std::vector<sync::Device>& devices) {
  std::vector<sync::IpnsName> all;
  for (const auto& device : devices) {
    for (const auto& [name, applied] : device.applied) all.push_back(name);
  }
  const ShortNames names(all);
  std::vector<std::string> out;
  for (const auto& device : devices) {
    out.push_back(padded(shown_text(device.label()), kNameColumn) + "  " +
                  shown_text(device.platform) + ", ipnscast " + shown_text(device.version) + ", " +
                  ago(device.at) + (device.own ? "  (this one)" : ""));
    for (const auto& [name, applied] : device.applied) {
      out.push_back("  " + names.of(name) + "  sequence " +
                    std::to_string(applied.version.sequence.value) + "  " +
                    short_value(shown_text(applied.version.value)) + "  " + ago(applied.at));
    }
  }
  return out;
}

std::string labels(const std::vector<sync::Device>& devices) {
  std::string out;
  for (const auto& device : devices) out += (out.empty() ? "" : ", ") + shown_text(device.label());
  return out;
}

}  // namespace ipnscast::tools
