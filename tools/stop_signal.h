#pragma once

#include <chrono>
#include <csignal>
#include <optional>

namespace ipnscast::tools {

// Ctrl-C and SIGTERM as something to wait for. Made before any thread starts: from then on these
// signals interrupt nobody and only wait() sees them.
class StopSignal {
 public:
  StopSignal();
  // True when a signal came, false after `timeout`.
  bool wait(std::optional<std::chrono::milliseconds> timeout);

 private:
  sigset_t signals_;
};

}  // namespace ipnscast::tools
