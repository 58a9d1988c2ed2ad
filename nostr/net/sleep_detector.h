#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::nostr::net {

// Three clocks read at one moment: one that stands still while the machine is suspended, one that
// goes on, and the wall's, which shows the sleep of a virtual machine that was paused from outside.
struct SleepClocks {
  Milliseconds monotonic{0};
  Milliseconds boottime{0};
  Milliseconds wall{0};
};
SleepClocks read_sleep_clocks();

// Tells from how the clocks drift apart that the machine was suspended. Pure.
class SleepDetector {
 public:
  // Less than this is a busy machine or a clock that is being set right.
  static constexpr Milliseconds kShortest{5'000};

  // How long the machine slept since the last call; 0 for not at all. A wall clock that is set
  // forward counts as well, which costs a ping.
  Milliseconds tick(const SleepClocks& now);

 private:
  std::optional<SleepClocks> last_;
};

}  // namespace ipnscast::nostr::net
