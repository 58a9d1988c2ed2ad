#pragma once

// Private to nostr/net.
#include <string>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/stream/unique_fd.h"

namespace ipnscast::nostr::net {

// How a connected socket of ours gets into lws, which only takes client sockets that it connected
// itself: it is told to connect to this door, a Unix socket, which succeeds at once; then, at
// LWS_CALLBACK_WSI_CREATE, before it has written anything, our socket takes the place of its own
// under the same descriptor. Nothing is ever read or written through the door, so it does not
// matter who else on this machine knocks. Net thread only.
class SocketDoor {
 public:
  // Errc::io.
  Status open();
  // As lws wants it: '+' for a Unix socket, '@' for an abstract name.
  const std::string& address() const { return address_; }
  // Puts `connected` in the place of `lws_fd`. False when the system refuses.
  bool pass(UniqueFd connected, int lws_fd);
  // Empties the queue of knocks, so that there is room for ours.
  void sweep();

 private:
  UniqueFd listener_;
  std::string address_;
};

}  // namespace ipnscast::nostr::net
