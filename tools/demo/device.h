#pragma once

#include <memory>

#include "ipnscast/bridge/stack.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::tools::demo {

// What a device was handed, and when.
struct Handed {
  sync::Change change;
  Instant at;
};

// One device: an engine with a state directory of its own.
class Device {
 public:
  struct Options {
    std::filesystem::path state_dir;
    std::shared_ptr<nostr::Signer> signer{};
    std::vector<nostr::PublicKey> trusted{};
    bool announces = true;  // knows the relay
  };
  // A client of the stack's relay and node.
  static Result<std::unique_ptr<Device>> open(const bridge::Stack& stack, Options options);

  Status follow(const sync::IpnsName& name);
  // The next change of this name with at least this sequence; others are passed over.
  // Errc::timeout.
  Result<Handed> next_change(const sync::IpnsName& name, sync::Sequence sequence, Instant deadline);

  sync::Client& client() { return *client_; }

 private:
  explicit Device(std::unique_ptr<sync::Client> client) : client_(std::move(client)) {}

  std::shared_ptr<Inbox<Handed>> handed_ = std::make_shared<Inbox<Handed>>(64);
  std::unique_ptr<sync::Client> client_;
};

}  // namespace ipnscast::tools::demo
