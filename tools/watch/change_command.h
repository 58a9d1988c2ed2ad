#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Runs a user's command by /bin/sh, each time in a process group of its own. Thread-safe.
class ChangeCommand {
 public:
  // Between asking a process group to end (SIGTERM) and ending it (SIGKILL).
  static constexpr Seconds kGrace{5};

  // `option`: that names it, for messages. `timeout`: of each run. `passed`: variables of our
  // environment that it gets besides the usual ones.
  ChangeCommand(std::string option, std::string command, Milliseconds timeout,
                std::vector<std::string> passed = {});
  ~ChangeCommand();

  // Waits for its end. Its environment is what any program needs (PATH, HOME, LANG and the like),
  // our settings without secrets, and `environment`; `input` is its standard input; what it
  // writes goes where ours goes, its output to our standard error. Errc::refused when it does not
  // end with 0, Errc::timeout when it had to be ended, Errc::cancelled after stop(), Errc::io.
  Status run(const std::map<std::string, std::string>& environment, const std::string& input);
  // Ends those that run, and waits for that; no other is started.
  void stop();

 private:
  Result<pid_t> start(const std::map<std::string, std::string>& environment, int input);
  Status wait_for(pid_t child);

  // constant after construction
  const std::string option_;
  const std::string command_;
  const Milliseconds timeout_;
  const std::vector<std::string> passed_;
  const int stop_;  // an eventfd; readable once stopped

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t running_ = 0;    // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace ipnscast::tools
