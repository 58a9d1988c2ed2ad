#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace ipnscast::test {

// A port on loopback whose connections are passed on to others there: a thread each, all ended with
// the listener.
class LoopbackListener {
 public:
  // Has the connection `client` until it returns; runs on a thread of its own.
  using Talk = std::function<void(int client)>;
  explicit LoopbackListener(Talk talk);
  ~LoopbackListener();
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  uint16_t port() const { return port_; }
  // A connection to another port, closed with the listener. Nothing: nobody listens there.
  std::optional<int> connect(uint16_t port);
  // Ends every connection.
  void drop_all();
  // The same, and hangs up on new ones until resume().
  void pause();
  void resume() { paused_ = false; }

 private:
  void serve();

  const Talk talk_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> paused_ = false;

  std::mutex mutex_;
  // guarded by mutex_
  std::vector<int> sockets_;  // of all talks, closed at the end
  std::vector<std::thread> talks_;

  std::thread thread_;
};

// False: the other side has gone.
bool give(int fd, const char* bytes, size_t count);
// Passes on what comes from either side until one has gone. `from_b` sees what comes from `b`, and
// may change it.
void pump(int a, int b, const std::function<void(char* bytes, size_t count)>& from_b);

}  // namespace ipnscast::test
