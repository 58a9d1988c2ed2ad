#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::nostr::server {

using net::ServerConnectionId;

// Keeps what waits for one connection bounded however much it asks for: once so many bytes went out
// to it, its further frames are held, in order, until the network has nearly drained it. Pings are
// answered meanwhile; only one that asks on and on is no longer read. Pure; one thread at a time.
//
//   holds() ? hold(frame) : answer it, handed_over(its answers)
//   take_full() -> when_drained() of the network -> drained() -> next() until nothing comes
class AnswerPace {
 public:
  static constexpr size_t kFull = 8 * 1024 * 1024;     // bytes handed over: no more answers
  static constexpr size_t kDrained = 1 * 1024 * 1024;  // bytes unsent: answers go on
  static constexpr size_t kMaxHeld = 256 * 1024;       // bytes of frames: reading stops

  void opened(ServerConnectionId connection) { flows_[connection]; }
  void closed(ServerConnectionId connection) { flows_.erase(connection); }

  void handed_over(ServerConnectionId connection, size_t bytes);
  // Connections that became full since the last call.
  std::vector<ServerConnectionId> take_full();

  // Whether its frames wait: it is full, or some that came before wait.
  bool holds(ServerConnectionId connection) const;
  // Keeps the frame. True when nothing more should be read.
  bool hold(ServerConnectionId connection, std::string frame);

  void drained(ServerConnectionId connection);
  // The next frame that was held; none while the connection is full.
  std::optional<std::string> next(ServerConnectionId connection);

 private:
  struct Flow {
    size_t handed_over = 0;  // since it was drained
    bool full = false;
    std::deque<std::string> held;
    size_t held_bytes = 0;
  };

  std::unordered_map<ServerConnectionId, Flow> flows_;
  std::vector<ServerConnectionId> full_;
};

}  // namespace ipnscast::nostr::server
