#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr::server {

// What the embedded relay allows a client. They are published in its NIP-11 document.
struct RelayOptions {
  std::string name = "ipnscast";
  std::string description = "the embedded relay of ipnscast";

  // ---- who may do what ----
  // Keys whose events are taken; none: anybody's. An event is judged by its author, whoever brings
  // it.
  std::set<PublicKey> writers;
  // Kind 30078 is taken from and served to its author only, proved by NIP-42 (NIP-78).
  bool owner_private = false;
  // Whether this is an address of ours: what a client signs in its answer to a challenge must name
  // one, or another relay could pass our challenge on to its users. Unset: every address is, which
  // is for tests. NIP-42.
  std::function<bool(const RelayUrl&)> is_own_url;

  // ---- limits ----
  size_t max_message_bytes = 256 * 1024;
  size_t max_event_bytes = 128 * 1024;
  size_t max_event_tags = 2000;
  size_t max_subscriptions = 200;          // of one connection
  size_t max_filters = 200;                // of one REQ or COUNT
  size_t max_subscription_items = 50'000;  // values in the filters of one connection
  // Memory that the filters of one connection take, and those of all together. The last fifth of it
  // is for connections that hold little, so that a few large ones do not keep the others out.
  size_t max_subscription_bytes = 16 * 1024 * 1024;
  size_t max_subscription_bytes_total = 128 * 1024 * 1024;
  size_t max_subscription_id = 64;            // NIP-01
  uint32_t max_limit = 500;                   // stored events for one filter; also the default
  size_t max_answer_bytes = 8 * 1024 * 1024;  // stored events for one REQ: the oldest are left out
  uint32_t max_count = 100'000;               // NIP-45: counting stops there, "approximate"
  size_t max_keys = 32;                       // proved by one connection, NIP-42
  uint32_t max_negentropy_items = 200'000;    // events in one reconciliation, NIP-77
  size_t max_negentropy_sessions = 8;         // of one connection
  size_t max_negentropy_total = 1'000'000;    // events in all reconciliations; 72 bytes each
  Seconds created_at_ahead{900};              // further in the future is refused

  // ---- rates, of one connection; 0: as many as it can ----
  double events_per_second = 0;    // EVENT and AUTH
  double event_burst = 100;        // that may come at once when there is a rate
  double requests_per_second = 0;  // REQ, COUNT and NEG-OPEN
  double request_burst = 100;
};

}  // namespace ipnscast::nostr::server
