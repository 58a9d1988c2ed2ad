#include "ipnscast/nostr/server/frame_refusal.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr::server {
namespace {

constexpr size_t kMaxSubscriptionId = 64;

std::string reason_for(const Error& why) {
  const bool unsupported = why.code == Errc::unsupported;
  return (unsupported ? "unsupported: " : "invalid: ") + why.message;
}

}  // namespace

RelayMessage refusal_of(std::string_view frame, const Error& why) {
  const NoticeMessage notice{reason_for(why)};
  const auto json = nlohmann::json::parse(frame, nullptr, false);
  if (!json.is_array() || json.size() < 2 || !json[0].is_string()) return notice;
  const auto& type = json[0].get_ref<const std::string&>();
  if (type == "EVENT" && json[1].is_object()) {
    const auto id = json[1].find("id");
    OkMessage ok{{}, false, notice.text};
    if (id == json[1].end() || !id->is_string()) return notice;
    if (!read_lower_hex(id->get_ref<const std::string&>(), ok.id.bytes)) return notice;
    return ok;
  }
  const bool negentropy = type == "NEG-OPEN" || type == "NEG-MSG";
  if ((type == "REQ" || type == "COUNT" || negentropy) && json[1].is_string()) {
    const auto& subscription = json[1].get_ref<const std::string&>();
    if (subscription.empty() || count_characters(subscription) > kMaxSubscriptionId) return notice;
    if (negentropy) return NegError{subscription, notice.text, std::nullopt};
    return ClosedMessage{subscription, notice.text};
  }
  return notice;
}

}  // namespace ipnscast::nostr::server
