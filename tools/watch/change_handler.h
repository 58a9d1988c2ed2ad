#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/watch/change_command.h"
#include "ipnscast/tools/watch/change_screen.h"
#include "ipnscast/tools/watch/mirror.h"
#include "ipnscast/tools/watch/pins.h"
#include "ipnscast/tools/watch/webhook.h"

namespace ipnscast::tools {

// What `watch` does with each change: mirror, pins, command, webhook, line of output, in this
// order. A change is acknowledged only when all of it has worked, so it comes again until it does.
class ChangeHandler {
 public:
  struct Options {
    bool json = false;
    std::optional<ChangeScreen> screen;  // how lines look on a terminal; none: whole
    std::optional<Mirror> mirror;
    Pins* pins = nullptr;                     // null: none; outlives the handler
    std::string exec;                         // empty: none
    std::vector<std::string> exec_variables;  // that it gets besides the usual ones
    Milliseconds exec_timeout{600'000};
    std::unique_ptr<Webhook> webhook;  // null: none
    sync::DagLimits limits;            // of what is written
    // After all of it has worked. Must not block. May be empty.
    std::function<void(const sync::Change&)> on_done;
  };

  // `client` outlives the handler's last call.
  ChangeHandler(sync::Client& client, Options options);

  // Names side by side, one call at a time for each; with a mirror there is one name.
  Status handle(const sync::Change& change);
  // Shows what is known already, for a mirror that is behind a state that was handed over before.
  // Before the first handle().
  Status catch_up(const sync::NameStatus& status);
  // Ends what is being written and posted, and the commands that run, as ChangeCommand::stop(). Any
  // thread.
  void stop();

 private:
  Result<TreeChanges> show(const std::string& value, const sync::Cid& root);
  Result<TreeChanges> show_once(const sync::Change& change);
  void print(const sync::Change& change, const Applied& applied) const;
  Status run_command(const sync::Change& change, const std::string& line);
  Status run_once(const sync::Change& change, const std::string& line);
  Status post(const sync::Change& change, const std::string& line);

  sync::Client& client_;
  Options options_;
  std::optional<ChangeCommand> command_;
  std::atomic<bool> stopped_ = false;

  std::mutex ran_mutex_;
  // The change of each name for which the command has run, for when it comes again because what is
  // done after that has failed. Guarded by ran_mutex_.
  std::map<sync::IpnsName, std::string> ran_;

  // The change that the mirror shows, for when it comes again: the command failed, or writing took
  // so long that it does not count as handed over.
  struct Shown {
    sync::ChangeKind kind;
    sync::Sequence sequence;
    std::string value;
    TreeChanges changes;
  };
  std::mutex mirror_mutex_;
  std::optional<Shown> shown_;  // guarded by mirror_mutex_
};

}  // namespace ipnscast::tools
