#pragma once

// Private to nostr.
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::nostr::net {

// Why a WebSocket ends, as its close frame says it. RFC 6455 section 7.4.1
constexpr int kCloseNormal = 1000;
constexpr int kCloseGoingAway = 1001;
constexpr int kCloseProtocol = 1002;
constexpr int kCloseUnsupported = 1003;  // a kind of message that is of no use here
constexpr int kCloseNoCode = 1005;       // stands for a close frame without a code; never sent
constexpr int kCloseBadData = 1007;
constexpr int kClosePolicy = 1008;
constexpr int kCloseTooBig = 1009;

// Whether a close frame may carry this code. RFC 6455 section 7.4.2 and IANA's registry
constexpr bool may_be_sent(int code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != kCloseNoCode && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

// What an error of MessageReader::add() ends the connection with.
constexpr int close_code(Errc why) {
  if (why == Errc::too_large) return kCloseTooBig;
  return why == Errc::unsupported ? kCloseProtocol : kCloseBadData;
}

}  // namespace ipnscast::nostr::net
