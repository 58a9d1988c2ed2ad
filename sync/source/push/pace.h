#pragma once

#include <functional>
#include <memory>

#include "ipnscast/nostr/base/allowance.h"
#include "ipnscast/nostr/net/loop.h"

namespace ipnscast::sync::push {

// When one connection is read: not while its owner pauses it, and more slowly when it says too
// much. It may say a burst, as when many names are followed at once, and then so much a second;
// beyond that reading stops for a breath each time, so that nothing is lost and one server costs no
// more than its share. Net thread only.
class Pace {
 public:
  // `changed` is called whenever reads() may have changed. `loop` outlives this.
  Pace(nostr::net::Loop& loop, std::function<void()> changed)
      : loop_(loop), changed_(std::move(changed)) {}

  bool reads() const { return !paused_ && !breathes_; }
  bool paused() const { return paused_; }
  void pause(bool on) {
    paused_ = on;
    changed_();
  }
  // Something was said.
  void took(Instant now) {
    if (allowance_.take(now) || breathes_) return;
    breathes_ = true;
    changed_();
    loop_.at(now + kBreath, [this, here = std::weak_ptr<bool>(here_)] {
      if (here.expired()) return;
      breathes_ = false;
      changed_();
    });
  }

 private:
  static constexpr double kBurst = 2'000;
  static constexpr double kPerSecond = 500;
  static constexpr Milliseconds kBreath{100};

  // constant after construction
  nostr::net::Loop& loop_;
  const std::function<void()> changed_;

  Allowance allowance_{kBurst, kPerSecond};
  bool paused_ = false;
  bool breathes_ = false;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

}  // namespace ipnscast::sync::push
