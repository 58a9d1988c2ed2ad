#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/tools/watch/change_command.h"

namespace ipnscast::tools {

// What `watch --on-conflict` does about a publish of this device that was displaced: keep both
// contents, or let a command merge them.
class ConflictHandler {
 public:
  enum class Strategy { newest, keep_both, exec };
  struct Options {
    Strategy strategy = Strategy::newest;
    std::filesystem::path folder{};  // of keep_both
    std::string command{};           // of exec
    Milliseconds timeout{600'000};   // of each run of the command
    sync::GetOptions get{};          // how content is written
  };
  // "newest", "keep-both DIR" or "exec CMD". Errc::invalid.
  static Result<Options> parse(const std::vector<std::string>& words);

  // `client` outlives the handler's last call.
  ConflictHandler(sync::Client& client, Options options);

  // As WatchOptions::on_conflict. Names side by side, one call at a time for each.
  Result<sync::Resolution> handle(const sync::Conflict& conflict);
  // Ends the commands that run. Any thread.
  void stop();

 private:
  Result<sync::Resolution> keep_both(const sync::Conflict& conflict);
  Result<sync::Resolution> run_command(const sync::Conflict& conflict);
  Status write(const sync::Version& version, const std::filesystem::path& target);

  sync::Client& client_;
  const Options options_;
  ChangeCommand command_;
  std::mutex mutex_;
  // What a command merged, until it is published. Guarded by mutex_.
  std::map<sync::IpnsName, TemporaryDirectory> work_;
};

}  // namespace ipnscast::tools
