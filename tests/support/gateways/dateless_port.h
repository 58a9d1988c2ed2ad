#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ipnscast::test {

// A port that passes on to another one on loopback, WebSockets too, and lets no answer say what the
// time is: the value of every Date header is crossed out on its way back. A server behind it is no
// witness of anybody's clock.
class DatelessPort {
 public:
  // `url`: of the server behind it, ws://127.0.0.1:PORT or http://127.0.0.1:PORT.
  explicit DatelessPort(const std::string& url);
  ~DatelessPort();
  DatelessPort(const DatelessPort&) = delete;
  DatelessPort& operator=(const DatelessPort&) = delete;

  // That of the server, with this port.
  std::string url() const { return scheme_ + std::to_string(port_); }

 private:
  void serve();
  void talk(int client, int server);

  std::string scheme_;  // with the host: "ws://127.0.0.1:"
  uint16_t behind_ = 0;
  int listener_ = -1;
  uint16_t port_ = 0;

  std::mutex mutex_;
  // guarded by mutex_
  std::vector<int> sockets_;  // of all talks, closed at the end
  std::vector<std::thread> talks_;

  std::thread thread_;
};

}  // namespace ipnscast::test
