#pragma once

#include <cstdint>

namespace ipnscast::nostr::server {

// How often what happened, since the start.
struct RelayCounters {
  uint64_t stored = 0;
  uint64_t ephemeral = 0;
  uint64_t duplicates = 0;
  uint64_t superseded = 0;
  uint64_t refused = 0;   // events with a bad id, signature or date, over the rate, not allowed, or
                          // for which there is no room
  uint64_t garbage = 0;   // frames that do not parse
  uint64_t requests = 0;  // REQ, COUNT and NEG-OPEN
  uint64_t refused_requests = 0;
  uint64_t proved = 0;     // keys, by AUTH
  uint64_t delivered = 0;  // live events sent to subscriptions
};

}  // namespace ipnscast::nostr::server
