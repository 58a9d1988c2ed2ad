#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/nostr/server/answer_pace.h"
#include "ipnscast/nostr/server/relay_core.h"

namespace ipnscast::nostr::server {

struct ConnectionOpened {
  ServerConnectionId connection;
};
struct ConnectionClosed {
  ServerConnectionId connection;
};
struct ConnectionDrained {  // what RelayThread waited for before it answers more
  ServerConnectionId connection;
};
struct FrameArrived {
  ServerConnectionId connection;
  std::string text;
  bool reading_paused = false;  // the inbox was full: reading goes on when this one is done
};
using RelayInput =
    std::variant<ConnectionOpened, ConnectionClosed, ConnectionDrained, FrameArrived>;

// The thread "relay": takes what waits in its inbox as one batch, runs it through the core in one
// transaction, and after the commit hands the answers and live events to the network. A connection
// that has not taken its answers yet gets no further ones: see AnswerPace.
class RelayThread {
 public:
  // `network` outlives the thread.
  RelayThread(Inbox<RelayInput>& inbox, std::unique_ptr<RelayStore> store, RelayOptions options,
              net::WebSocketServer& network);
  // The inbox is closed by then: works off what it accepted, then ends.
  ~RelayThread();

  // Any thread. As of the last batch.
  RelayCounters counters() const;

 private:
  void loop();
  void take(RelayInput& input);
  void take(FrameArrived frame);
  void answer(ServerConnectionId connection, const std::string& text);
  void answer_held(ServerConnectionId connection);
  void finish_batch();
  Milliseconds purge();

  // constant after construction
  Inbox<RelayInput>& inbox_;
  net::WebSocketServer& network_;

  // relay thread only
  std::unique_ptr<RelayStore> store_;
  RelayCore core_;
  AnswerPace pace_;
  std::vector<ServerConnectionId> to_resume_;

  mutable std::mutex mutex_;
  RelayCounters counters_;  // guarded by mutex_

  std::thread thread_;
};

}  // namespace ipnscast::nostr::server
