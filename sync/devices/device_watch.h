#pragma once

#include <memory>
#include <stop_token>

#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/devices/device.h"

namespace ipnscast::sync {

// What relays have of our devices, as long as it lives. The pool outlives it. One thread.
class DeviceWatch {
 public:
  static constexpr std::chrono::hours kForgotten{90 * 24};  // one that was silent for so long

  DeviceWatch(nostr::Pool& pool, std::shared_ptr<nostr::Signer> signer);
  ~DeviceWatch();

  // Waits until `enough`, which is asked again whenever something new is known; `all`: every relay
  // has said what it has. The newest first. Errc::timeout with nothing heard at the deadline; what
  // was heard by then otherwise, whether it is enough or not. Errc::cancelled.
  using Enough = std::function<bool(const std::vector<Device>&, bool all)>;
  Result<std::vector<Device>> wait(const Enough& enough, Instant deadline, std::stop_token stop);

 private:
  struct Heard;
  nostr::Pool& pool_;
  const std::shared_ptr<Heard> heard_;
  nostr::SubscriptionKey subscription_;
};

}  // namespace ipnscast::sync
