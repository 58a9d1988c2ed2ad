#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::tools {

// A client for a command that writes: of the state directory, or beside the process that holds it
// and takes commands, such as a running watch. It is not announced as a device. For one that is
// about to end, or does not take commands, it waits ten seconds, `most` at most. The errors of
// sync::Client::open() and attach().
Result<std::unique_ptr<sync::Client>> open_or_attach(sync::Config config, Milliseconds most);

// A client that follows names, beside whoever holds the state directory when somebody does.
struct Follower {
  // `once`: for a look, which leaves nothing. `label`: that of --as, under which a place of its own
  // is kept. The errors of sync::Client::open(); Errc::invalid for a label that is none.
  static Result<Follower> open(sync::Config config, bool once, const std::string& label);

  bool beside = false;  // somebody else may hold the directory: this is no writer
  bool fresh = false;   // its state is new, and is gone with it
  sync::Config config;  // what it was opened with
  std::optional<TemporaryDirectory> state;  // outlives the client
  std::unique_ptr<sync::Client> client;
};

}  // namespace ipnscast::tools
