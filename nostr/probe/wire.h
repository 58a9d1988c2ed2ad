#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/nip/nip11.h"

// How a probe reaches its relay: real sockets in net_wire.h, a virtual clock in tests.
namespace ipnscast::nostr::probe {

using Took = std::chrono::microseconds;

// What shows before any Nostr message: the times of connecting, what HTTP said, NIP-11.
struct Handshake {
  Took look_up{0};            // of the name, or of the proxy's
  Took connect{0};            // TCP, through the proxy if there is one
  std::optional<Took> tls;    // nothing for ws://
  Took upgrade{0};            // from the HTTP request to the answer
  bool deflate = false;       // permessage-deflate was accepted (RFC 7692)
  std::optional<Took> asked;  // from asking for the NIP-11 document to having it
  std::optional<RelayInformation> information;
  std::string information_fault;  // why there is no NIP-11 document
};

// One WebSocket connection. One thread uses it.
class Connection {
 public:
  struct Heard {
    std::string frame;
    Instant at;  // when it came in
  };

  virtual ~Connection() = default;
  // Queues one text frame.
  virtual void send(std::string frame) = 0;
  // The next frame. Errc::timeout when none comes before `until`, Errc::closed with the reason once
  // the relay has gone, Errc::cancelled after cancel().
  virtual Result<Heard> hear(Instant until) = 0;
};

class Wire {
 public:
  virtual ~Wire() = default;
  virtual Now now() const = 0;
  // Errc::unreachable, Errc::timeout, Errc::refused (an HTTP status), Errc::cancelled.
  virtual Result<Handshake> shake_hands(Instant until) = 0;
  // The same errors.
  virtual Result<std::unique_ptr<Connection>> connect(Instant until) = 0;
  virtual bool cancelled() const = 0;
  // From now on nothing ends with Errc::cancelled, and cancelled() is false: the probe cleans up.
  virtual void finish_despite_cancel() = 0;
};

}  // namespace ipnscast::nostr::probe
