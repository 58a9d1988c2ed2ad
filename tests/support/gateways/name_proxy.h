#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ipnscast::test {

// A SOCKS5 proxy for which every name is 127.0.0.1: what reaches a relay under a name that nobody
// else knows went through it.
class NameProxy {
 public:
  NameProxy();
  ~NameProxy();
  NameProxy(const NameProxy&) = delete;
  NameProxy& operator=(const NameProxy&) = delete;

  std::string url() const { return "socks5://127.0.0.1:" + std::to_string(port_); }
  // What it was asked to connect to since the last call, as HOST:PORT. Any thread.
  std::vector<std::string> take_asked();
  // Bytes that came from relays since the last call.
  size_t take_received() { return received_.exchange(0); }
  // Ends every connection.
  void drop_all();
  // The same, and hangs up on new ones until resume().
  void pause();
  void resume() { paused_ = false; }

 private:
  void serve();
  void talk(int client);

  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<size_t> received_ = 0;
  std::atomic<bool> paused_ = false;
  std::mutex mutex_;
  // guarded by mutex_
  std::vector<std::string> asked_;
  std::vector<int> sockets_;  // of all talks, closed at the end
  std::vector<std::thread> talks_;

  std::thread thread_;
};

}  // namespace ipnscast::test
