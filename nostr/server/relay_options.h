#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "nostr/base/clock.h"

namespace ipnscast::nostr::server {

// What the embedded relay allows a client. They are published in its NIP-11 document.
struct RelayOptions {
  std::string name = "ipnscast";
  std::string description = "the embedded relay of ipnscast";

  size_t max_message_bytes = 256 * 1024;
  size_t max_event_bytes = 128 * 1024;
  size_t max_event_tags = 2000;
  size_t max_subscriptions = 200;             // of one connection
  size_t max_filters = 200;                   // of one REQ
  size_t max_subscription_id = 64;            // NIP-01
  uint32_t max_limit = 500;                   // stored events for one filter; also the default
  size_t max_answer_bytes = 8 * 1024 * 1024;  // stored events for one REQ: the oldest are left out
  Seconds created_at_ahead{900};              // further in the future is refused
  double events_per_second = 0;               // of one connection; 0: as many as it can
  double event_burst = 100;                   // that may come at once when there is a rate
};

}  // namespace ipnscast::nostr::server
