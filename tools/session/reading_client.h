#pragma once

#include <memory>
#include <optional>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::tools {

// A client for commands that only look. It also works while another process holds the state
// directory: then on a state of its own, which goes away with it.
class ReadingClient {
 public:
  // The errors of sync::Client::open() other than Errc::conflict.
  static Result<ReadingClient> open(sync::Config config);

  sync::Client* operator->() { return client_.get(); }
  // As Client::lost(), also beside another process.
  std::vector<sync::LostPublish> lost(const sync::IpnsName& name);

 private:
  ReadingClient(std::optional<TemporaryDirectory> state, std::filesystem::path known_dir,
                std::unique_ptr<sync::Client> client)
      : state_(std::move(state)), known_dir_(std::move(known_dir)), client_(std::move(client)) {}

  std::optional<TemporaryDirectory> state_;  // outlives the client
  std::filesystem::path known_dir_;          // the other process's; empty: there is none
  std::unique_ptr<sync::Client> client_;
};

// The same of a state directory that another process may be working in; nothing when it cannot be
// read.
std::vector<sync::LostPublish> lost_there(const std::filesystem::path& state_dir,
                                          const sync::IpnsName& name);

}  // namespace ipnscast::tools
