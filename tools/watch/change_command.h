#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Runs a user's command by /bin/sh, one at a time, in a process group of its own. Thread-safe.
class ChangeCommand {
 public:
  explicit ChangeCommand(std::string command) : command_(std::move(command)) {}

  // Waits for its end. `environment` is added to ours, `input` is its standard input; what it
  // writes goes where ours goes, its output to our standard error. Errc::refused when it does not
  // end with 0, Errc::cancelled after stop(), Errc::io.
  Status run(const std::map<std::string, std::string>& environment, const std::string& input);
  // Ends the one that runs with SIGTERM; no other is started.
  void stop();

 private:
  Result<pid_t> start(const std::map<std::string, std::string>& environment, int input);

  // constant after construction
  const std::string command_;

  std::mutex mutex_;
  pid_t running_ = 0;     // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace ipnscast::tools
