#include "ipnscast/sync/gateway/kubo_json.h"

namespace ipnscast::sync::gateway {
namespace {

Errc errc_of_message(const std::string& message) {
  const auto has = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (has("not found") || has("could not find") || has("not pinned")) return Errc::not_found;
  return Errc::refused;
}

}  // namespace

std::string kubo_text(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::optional<Error> kubo_error(const nlohmann::json& object) {
  if (!object.is_object() || kubo_text(object, "Type") != "error") return std::nullopt;
  const std::string message = kubo_text(object, "Message").substr(0, 300);
  return Error{errc_of_message(message), message};
}

}  // namespace ipnscast::sync::gateway
