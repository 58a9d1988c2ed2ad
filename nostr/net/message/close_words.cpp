#include "ipnscast/nostr/net/message/close_words.h"

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/nostr/net/message/close_code.h"

namespace ipnscast::nostr::net {
namespace {

// IANA, "WebSocket Close Code Number Registry". Empty for what says nothing.
std::string_view close_meaning(int code) {
  switch (code) {
    case kCloseNormal:
      return "it is done with us";
    case kCloseGoingAway:
      return "it is going away";
    case kCloseProtocol:
      return "it did not understand our frames";
    case kCloseUnsupported:
      return "it does not take what we sent";
    case kCloseBadData:
      return "it could not read what we sent";
    case kClosePolicy:
      return "its rules are against us";
    case kCloseTooBig:
      return "we sent more than it takes at once";
    case 1011:
      return "it has a fault of its own";
    case 1012:
      return "it is being restarted";
    case 1013:
      return "it is too busy";
    default:
      return {};
  }
}

}  // namespace

std::string close_words(int code, std::string_view reason) {
  if (code == 0) return "connection lost";
  std::string out = "closed by the relay";
  if (code == kCloseNoCode) return out;
  out += " with code " + std::to_string(code);
  const std::string_view words = close_meaning(code);
  if (!reason.empty()) return out + ": \"" + shown_text(reason) + "\"";
  return words.empty() ? out : out.append(": ").append(words);
}

}  // namespace ipnscast::nostr::net
