#pragma once

#include <string>

#include "ipnscast/tests/support/gateways/loopback_listener.h"

namespace ipnscast::test {

// A port that passes on to another one on loopback, WebSockets too, and lets no answer say what the
// time is: the value of every Date header is crossed out on its way back. A server behind it is no
// witness of anybody's clock.
class DatelessPort {
 public:
  // `url`: of the server behind it, ws://127.0.0.1:PORT or http://127.0.0.1:PORT.
  explicit DatelessPort(const std::string& url);

  // That of the server, with this port.
  std::string url() const { return scheme_ + std::to_string(listener_.port()); }

 private:
  void talk(int client);

  const std::string scheme_;  // with the host: "ws://127.0.0.1:"
  const uint16_t behind_;
  LoopbackListener listener_;
};

}  // namespace ipnscast::test
