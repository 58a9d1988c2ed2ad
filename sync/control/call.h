#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::sync::control {

inline constexpr std::string_view kSocket = "control.sock";  // in the state directory
inline constexpr int kProtocol = 1;

// What another process asks the holder of a state directory to do.
struct Call {
  std::string method;
  nlohmann::json params;
  Descriptor descriptor;  // that came along
  std::stop_token stop;   // the other process is gone, or does not want it any more
  // Tells it how far that is. Any thread, until the call is answered; what it does not take for two
  // seconds ends the connection.
  std::function<void(const nlohmann::json&)> tell;
  // Has it sign. Any thread, also after the call; Errc::unreachable when it is gone by then,
  // Errc::timeout.
  std::function<Result<Bytes>(ByteView message)> sign;
};

// {"code", "message"}, and back.
nlohmann::json error_json(const Error& error);
Error error_from(const nlohmann::json& json);
// What a line says; a null where it is no JSON object.
nlohmann::json parse_line(std::string_view line);
std::string line_of(const nlohmann::json& json);
// A member that is a text; empty where it is not.
std::string text_in(const nlohmann::json& object, std::string_view member);

}  // namespace ipnscast::sync::control
