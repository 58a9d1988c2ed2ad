#pragma once

#include <atomic>
#include <memory>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/probe/wire.h"

namespace ipnscast::nostr::probe {

// A wire over real sockets. Of the thread that runs the probe, except for cancel(). The loop
// outlives it, and it outlives its connections.
class NetWire final : public Wire {
 public:
  // `witness` is told what the relay says the time is; may be null.
  NetWire(net::Loop& loop, RelayUrl url, net::Access access,
          std::shared_ptr<ClockWitness> witness = nullptr);

  // Ends the waiting that is under way, and all that comes until finish_despite_cancel(). Any
  // thread.
  void cancel() { cancelled_ = true; }

  Now now() const override { return system_now(); }
  Result<Handshake> shake_hands(Instant until) override;
  Result<std::unique_ptr<Connection>> connect(Instant until) override;
  bool cancelled() const override { return cancelled_ && !finishing_; }
  void finish_despite_cancel() override { finishing_ = true; }

 private:
  Result<std::vector<std::string>> look_up(Instant until);

  // constant after construction
  net::Loop& loop_;
  const RelayUrl url_;
  const net::Access access_;
  const std::shared_ptr<ClockWitness> witness_;

  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> finishing_ = false;
};

}  // namespace ipnscast::nostr::probe
