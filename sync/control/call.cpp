#include "ipnscast/sync/control/call.h"

namespace ipnscast::sync::control {
namespace {

constexpr int kLastCode = static_cast<int>(Errc::internal);

}  // namespace

nlohmann::json error_json(const Error& error) {
  return {{"code", std::string(to_string(error.code))}, {"message", error.message}};
}

Error error_from(const nlohmann::json& json) {
  Error out{Errc::internal, text_in(json, "message")};
  const std::string word = text_in(json, "code");
  for (int i = 0; i <= kLastCode; ++i) {
    if (to_string(static_cast<Errc>(i)) == word) out.code = static_cast<Errc>(i);
  }
  return out;
}

nlohmann::json parse_line(std::string_view line) {
  auto out = nlohmann::json::parse(line, nullptr, false);
  return out.is_object() ? out : nlohmann::json();
}

std::string text_in(const nlohmann::json& object, std::string_view member) {
  if (!object.is_object()) return "";
  const auto at = object.find(member);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

std::string line_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ipnscast::sync::control
