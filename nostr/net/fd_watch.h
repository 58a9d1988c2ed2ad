#pragma once

// Private to nostr/net.
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/stream/unique_fd.h"

namespace ipnscast::nostr::net {

// Descriptors of ours that lws does not serve: sockets that are still connecting, timers. One epoll
// holds them, and lws watches that one. Net thread only.
class FdWatch {
 public:
  // Gets the events that are ready (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP). May call everything
  // here.
  using Ready = std::function<void(uint32_t events)>;

  // Errc::io.
  Status open();
  int fd() const { return epoll_.get(); }

  // Calls `ready` whenever one of `events` is there, until forget(). False when the system has no
  // room for it.
  bool watch(int fd, uint32_t events, Ready ready);
  void change(int fd, uint32_t events);
  // Before the descriptor is closed.
  void forget(int fd);
  // Calls for what is ready now; does not wait.
  void serve();

 private:
  struct Entry {
    uint64_t token = 0;  // a number may be another descriptor by the time its event is read
    Ready ready;
  };
  UniqueFd epoll_;
  std::unordered_map<int, std::shared_ptr<Entry>> entries_;
  std::unordered_map<uint64_t, int> by_token_;
  uint64_t next_token_ = 1;
};

}  // namespace ipnscast::nostr::net
