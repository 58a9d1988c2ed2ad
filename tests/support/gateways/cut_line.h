#pragma once

#include "ipnscast/tests/support/gateways/loopback_listener.h"

namespace ipnscast::test {

// A line to a port on loopback that can be cut: connections end, and new ones are hung up on.
class CutLine {
 public:
  explicit CutLine(uint16_t to) : to_(to), listener_([this](int client) { talk(client); }) {}

  uint16_t port() const { return listener_.port(); }
  void cut() { listener_.pause(); }
  void mend() { listener_.resume(); }

 private:
  void talk(int client) {
    const auto there = listener_.connect(to_);
    if (there) pump(client, *there, [](char*, size_t) {});
  }

  const uint16_t to_;
  LoopbackListener listener_;
};

}  // namespace ipnscast::test
