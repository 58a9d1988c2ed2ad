#pragma once

#include <cstdint>
#include <string>

namespace ipnscast::test {

// A port that nobody has a reason to connect to. The kernel completes every connection by itself,
// so whoever connects is counted, whatever it says and however soon it leaves.
class Trap {
 public:
  // On a numeric address, IPv4 or IPv6, of this machine; a free port when `port` is 0. Throws
  // std::runtime_error when that cannot be had.
  explicit Trap(const std::string& address = "127.0.0.1", uint16_t port = 0);
  ~Trap();
  Trap(const Trap&) = delete;
  Trap& operator=(const Trap&) = delete;

  std::string port() const { return std::to_string(port_); }
  uint16_t port_number() const { return port_; }
  // All connections so far.
  int caught();

 private:
  int listener_ = -1;
  uint16_t port_ = 0;
  int caught_ = 0;
};

}  // namespace ipnscast::test
