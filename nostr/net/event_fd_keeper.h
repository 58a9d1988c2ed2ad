#pragma once

// Private to nostr/net.
#include <functional>

#include "ipnscast/nostr/net/stream/unique_fd.h"

namespace ipnscast::nostr::net {

// libwebsockets 4.2 to 4.3.5 (Debian 13) leave open the eventfd by which another thread wakes a
// context when the context is destroyed: one more descriptor for each loop that ends. This finds
// it, and closes it if lws did not.
class EventFdKeeper {
 public:
  // Finds the eventfd that each call of `wake` writes to, before anybody reads it.
  void find(const std::function<void()>& wake);
  // After the context is destroyed. Closes nothing but that very eventfd.
  void close_leaked();

 private:
  int number_ = -1;  // -1: not found
  UniqueFd same_;    // holds the eventfd, so that no other is taken for it
};

}  // namespace ipnscast::nostr::net
