#pragma once

#include <filesystem>
#include <memory>

#include "ipnscast/tools/demo/device.h"
#include "ipnscast/tools/demo/journey.h"

namespace ipnscast::tools::demo {

// The whole of ipnscast in one process on loopback: relay, node and bridge, two devices of one
// owner, and a publisher who announces nothing. Everything runs for real and is timed as it runs.
class Demo {
 public:
  // Everything lives in `directory`.
  static Result<std::unique_ptr<Demo>> start(std::filesystem::path directory);
  ~Demo();

  const bridge::Stack& stack() const { return *stack_; }

  // The first device publishes its tree; the second one ends up with it. `change`: after a change
  // to the tree.
  Result<Journey> own_change(bool change, Instant deadline);
  // The publisher puts a record into the node and tells nobody: the bridge finds and announces it.
  Result<Journey> found_by_bridge(Instant deadline);
  // The second device's trees against those that were published. Errc::mismatch.
  Status compare() const;

 private:
  struct BridgeNews;
  struct Published;

  explicit Demo(std::filesystem::path directory);
  Status start_all();
  Status open_devices();
  Result<Published> publish(Device& device, const sync::IpnsKey& key,
                            const std::filesystem::path& tree);
  // Waits for the change at the second device and writes it to `mirror`.
  Result<Handed> receive(Journey& journey, const Published& published,
                         const std::filesystem::path& mirror, Instant deadline);

  // constant after start()
  const std::filesystem::path directory_;
  std::optional<sync::IpnsKey> own_key_;
  std::optional<sync::IpnsKey> quiet_key_;
  std::shared_ptr<nostr::Signer> signer_;
  std::shared_ptr<BridgeNews> news_;

  std::unique_ptr<bridge::Stack> stack_;
  std::unique_ptr<Device> first_;
  std::unique_ptr<Device> second_;
  std::unique_ptr<Device> quiet_;
};

}  // namespace ipnscast::tools::demo
