#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// What travels. `bare` is the limit that the others are held against.
enum class NotifyPath {
  bare,     // a signed event from one relay pool to another, through the same relay
  record,   // announce() with the signed record in the hint; nothing is fetched
  content,  // publish() of a small file: content and record to the node, then the hint; the reader
            // fetches and verifies it
};
std::string_view to_string(NotifyPath path);

// Of one change.
struct NotifySample {
  std::chrono::microseconds call{0};       // until the publishing call returned
  std::chrono::microseconds handled{0};    // from that call to the handler on the other device
  std::chrono::microseconds confirmed{0};  // from the hint's arrival to its record verified
  std::chrono::microseconds fetched{0};    // from the hint's arrival to its content verified
};

// Publishes on one device and waits for the handler on another, over an embedded relay and an
// embedded node on loopback, all in this process and with their files on disk. Each sample is the
// first change of a name of its own, as created_at rises only once a second per address.
// Errc::timeout when a change does not arrive.
Result<std::vector<NotifySample>> bench_notify(NotifyPath path, size_t samples);

}  // namespace ipnscast::tools
