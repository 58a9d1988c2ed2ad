#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::test {

// A relay on a real socket that says exactly what the test wants, true or not. Its script runs on
// the server's net thread; everything it remembers can be read from the test.
class ScriptedRelay {
 public:
  using Connection = nostr::net::ServerConnectionId;
  // What the client said, as parsed; the raw frame beside it.
  using Script = std::function<void(ScriptedRelay&, Connection, const nostr::ClientMessage&)>;

  explicit ScriptedRelay(Script script, uint16_t port = 0);
  ~ScriptedRelay();

  nostr::RelayUrl url() const;
  uint16_t port() const { return port_; }
  void say(Connection to, std::string frame);
  void say(Connection to, const nostr::RelayMessage& message) { say(to, nostr::to_frame(message)); }
  void say_to_all(const std::string& frame);
  void drop(Connection connection);
  void drop_all();  // from the test

  int opened() const { return opened_; }
  // The frames that clients sent so far.
  std::vector<std::string> heard() const;
  // Waits until `count` frames with this prefix were heard, ten seconds at most.
  bool wait_heard(const std::string& prefix, size_t count);

 private:
  std::unique_ptr<nostr::net::Loop> loop_;
  Script script_;
  uint16_t port_ = 0;
  std::atomic<int> opened_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> heard_;              // guarded by mutex_
  std::map<uint64_t, Connection> connections_;  // guarded by mutex_
  std::unique_ptr<nostr::net::WebSocketServer> server_;
  // The same, for the net thread, which may hear a client before the constructor has the server.
  std::promise<nostr::net::WebSocketServer*> started_;
  std::shared_future<nostr::net::WebSocketServer*> running_ = started_.get_future().share();
};

}  // namespace ipnscast::test
