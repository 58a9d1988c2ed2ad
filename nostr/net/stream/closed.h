#pragma once

#include <string>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::nostr::net {

// Why a connection ended or never came to be: decides how long to wait before the next try.
enum class CloseReason {
  local,        // our own setting stands in the way: no try can succeed before it changes
  dns,          // the name has no address, or the name server did not answer (see `permanent`)
  refused,      // the host answers, but nothing listens on the port
  unreachable,  // no way to any of its addresses
  timeout,      // no connection within connect_timeout
  proxy,        // the proxy is down, refused us, or could not reach the relay
  tls,          // the certificate or the TLS handshake
  http_status,  // an HTTP answer instead of a WebSocket; `code` has the status
  remote,       // the relay closed, or the connection was cut
  too_large,    // a frame above max_frame_bytes
  protocol,     // the relay broke the WebSocket protocol
  dead,         // pings without an answer
  forbidden,    // others named the relay, and it is not at a public address (R39)
};

struct Closed {
  CloseReason reason = CloseReason::remote;
  int code = 0;                 // the HTTP status or the WebSocket close code, when there was one
  std::string text;             // for the person who has to act: what failed and what to do
  bool permanent = false;       // trying again soon is pointless: somebody has to act first
  Milliseconds retry_after{0};  // what the relay asked for (Retry-After); 0: nothing
};

}  // namespace ipnscast::nostr::net
