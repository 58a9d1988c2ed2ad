#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "ipnscast/tests/support/gateways/loopback_listener.h"

namespace ipnscast::test {

// A SOCKS5 proxy for which every name is 127.0.0.1: what reaches a relay under a name that nobody
// else knows went through it.
class NameProxy {
 public:
  NameProxy() : listener_([this](int client) { talk(client); }) {}

  std::string url() const { return "socks5://127.0.0.1:" + std::to_string(listener_.port()); }
  // What it was asked to connect to since the last call, as HOST:PORT. Any thread.
  std::vector<std::string> take_asked();
  // Bytes that came from relays since the last call.
  size_t take_received() { return received_.exchange(0); }
  // Ends every connection.
  void drop_all() { listener_.drop_all(); }
  // The same, and hangs up on new ones until resume().
  void pause() { listener_.pause(); }
  void resume() { listener_.resume(); }

 private:
  void talk(int client);

  std::atomic<size_t> received_ = 0;
  std::mutex mutex_;
  std::vector<std::string> asked_;  // guarded by mutex_
  LoopbackListener listener_;
};

}  // namespace ipnscast::test
