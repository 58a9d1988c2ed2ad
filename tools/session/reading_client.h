#pragma once

#include <memory>
#include <optional>

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/cli/temporary_directory.h"

namespace ipnscast::tools {

// A client for commands that only look. It also works while another process holds the state
// directory: then on a state of its own, which goes away with it.
class ReadingClient {
 public:
  // The errors of sync::Client::open() other than Errc::conflict.
  static Result<ReadingClient> open(sync::Config config);

  sync::Client* operator->() { return client_.get(); }

 private:
  ReadingClient(std::optional<TemporaryDirectory> state, std::unique_ptr<sync::Client> client)
      : state_(std::move(state)), client_(std::move(client)) {}

  std::optional<TemporaryDirectory> state_;  // outlives the client
  std::unique_ptr<sync::Client> client_;
};

}  // namespace ipnscast::tools
