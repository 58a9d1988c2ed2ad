#include "ipnscast/sync/devices/device.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace ipnscast::sync {
namespace {

using Json = nlohmann::json;

constexpr size_t kShownOfId = 8;
constexpr size_t kLongestWord = 200;
constexpr size_t kLongestValue = 1'024;

std::string word_in(const Json& object, const char* member) {
  const auto at = object.find(member);
  if (at == object.end() || !at->is_string()) return "";
  return at->get_ref<const std::string&>().substr(0, kLongestWord);
}

UnixMillis time_in(const Json& object, const char* member) {
  const auto at = object.find(member);
  return {at != object.end() && at->is_number_integer() ? at->get<int64_t>() : 0};
}

std::optional<Applied> applied_in(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  const std::string digits = word_in(json, "sequence");
  uint64_t sequence = 0;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  const bool is_number = failed == std::errc() && end == digits.data() + digits.size();
  const auto value = json.find("value");
  if (!is_number || value == json.end() || !value->is_string()) return std::nullopt;
  std::string text = *value;
  if (text.size() > kLongestValue) return std::nullopt;
  return Applied{{Sequence{sequence}, std::move(text)}, time_in(json, "time")};
}

}  // namespace

std::string Device::label() const { return name.empty() ? id.substr(0, kShownOfId) : name; }

bool Device::has_applied(const IpnsName& of, const Version& wanted) const {
  const auto it = applied.find(of);
  if (it == applied.end()) return false;
  const Version& has = it->second.version;
  return has.sequence > wanted.sequence || has == wanted;
}

std::string encode_device(const Device& device) {
  Json names = Json::object();
  for (const auto& [name, applied] : device.applied) {
    names[name.to_string()] = {{"sequence", std::to_string(applied.version.sequence.value)},
                               {"value", applied.version.value},
                               {"time", applied.at.value}};
  }
  return Json({{"deviceId", device.id},
               {"name", device.name},
               {"platform", device.platform},
               {"version", device.version},
               {"time", device.at.value},
               {"names", std::move(names)}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Device> decode_device(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Errc::parse, "a device: want a JSON object");
  Device out{.id = word_in(json, "deviceId"),
             .name = word_in(json, "name"),
             .platform = word_in(json, "platform"),
             .version = word_in(json, "version"),
             .at = time_in(json, "time")};
  if (out.id.empty()) return fail(Errc::parse, "a device: want its deviceId");
  const auto names = json.find("names");
  if (names == json.end() || !names->is_object()) return out;
  for (const auto& [text_of_name, what] : names->items()) {
    if (out.applied.size() >= kMostApplied) break;
    const auto name = IpnsName::parse(text_of_name);
    auto applied = applied_in(what);
    if (name && applied) out.applied.emplace(*name, std::move(*applied));
  }
  return out;
}

}  // namespace ipnscast::sync
