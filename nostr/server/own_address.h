#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr::server {

// What counts as an address of a relay that listens on `listen` (an IP address, perhaps that of all
// interfaces) and `port`: the addresses of this machine that reach the listener, its host name and
// `localhost`, each with this port and whatever scheme; and the URLs that a proxy in front has,
// which are given. The client's Host header is no help: who passes our challenge on to another
// client writes that header. NIP-42.
struct OwnAddress {
  std::string listen;
  uint16_t port = 0;
  std::vector<RelayUrl> urls;

  // Thread-safe. The machine's addresses are looked up at each call: they change.
  bool operator()(const RelayUrl& url) const;
};

}  // namespace ipnscast::nostr::server
