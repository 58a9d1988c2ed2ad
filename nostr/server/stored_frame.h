#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ipnscast/nostr/event/message.h"

// EVENT frames around the text of an event, so that it is written once for all who get it.
namespace ipnscast::nostr::server {

// The subscription id as a JSON string.
inline std::string quoted(const SubscriptionId& subscription) {
  // ["EOSE","<id>"] without what is around the id.
  constexpr std::string_view kBefore = "[\"EOSE\",";
  const std::string frame = to_frame(RelayMessage(EoseMessage{subscription}));
  return frame.substr(kBefore.size(), frame.size() - kBefore.size() - 1);
}

inline std::shared_ptr<const std::string> stored_frame(const std::string& quoted_subscription,
                                                       std::string_view event_json) {
  std::string out = "[\"EVENT\",";
  out.reserve(out.size() + quoted_subscription.size() + event_json.size() + 2);
  out += quoted_subscription;
  out += ',';
  out += event_json;
  out += ']';
  return std::make_shared<const std::string>(std::move(out));
}

}  // namespace ipnscast::nostr::server
