#pragma once

#include <mutex>
#include <nlohmann/json_fwd.hpp>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/sync/control/control_link.h"

namespace ipnscast::sync {

// A client beside the process that holds the state directory (Client::attach). What writes is done
// by that one, over its control socket; what reads, by a client of our own on a state of its own,
// which is opened the first time that it is needed.
class AttachedClient final : public Client {
 public:
  // `place`: of the state of its own, which is kept; empty: it is gone with this.
  AttachedClient(Config config, std::filesystem::path place);
  ~AttachedClient() override { close(); }

  // Whether somebody takes calls there.
  Status look() const;

  Status watch(const IpnsName& name, WatchOptions options) override;
  void unwatch(const IpnsName& name) override;
  Result<TakenChange> next_change(std::stop_token stop, std::optional<Instant> deadline) override;
  Status acknowledge(uint64_t id, const Handled& handled) override;
  Result<int> event_fd() override;
  Result<Outcome> publish(const IpnsKey& key, const std::filesystem::path& path,
                          const PublishOptions& options) override;
  Result<Outcome> publish_cid(const IpnsKey& key, const Cid& cid,
                              const PublishOptions& options) override;
  Result<Outcome> announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                           std::optional<IpnsRecord> record, std::stop_token stop, bool trust_clock,
                           std::optional<Instant> deadline) override;
  Result<Outcome> retract(const IpnsName& name, std::stop_token stop,
                          std::optional<Instant> deadline) override;
  Status keep_alive(const IpnsKey& key) override;
  Status take_in(const IpnsName& name, const IpnsRecord& record) override;
  std::vector<LostPublish> lost(const IpnsName& name) override;
  Status acknowledge_lost(const IpnsName& name) override;
  Status tell(const ToldNews& news) override;
  Result<ResolveReport> resolve(const IpnsName& name, Milliseconds deadline, Freshness freshness,
                                std::stop_token stop) override;
  void invalidate(const IpnsName& name) override;
  Status get(const Cid& cid, std::string_view path, const std::filesystem::path& target,
             const GetOptions& options) override;
  Result<std::vector<Device>> devices(Instant deadline, std::stop_token stop) override;
  Result<std::vector<Device>> wait_applied(const IpnsName& name, const Version& version,
                                           size_t count, Instant deadline,
                                           std::stop_token stop) override;
  Result<std::vector<HeardVersion>> history(const IpnsName& name, size_t most) override;
  Status replay(const IpnsName& name, UnixMillis since) override;
  std::vector<NameStatus> status() override;
  std::vector<GatewayStatus> gateways() override;
  PrivateHintCounters private_hints() const override;
  HandlerHealth handlers() const override;
  Metrics metrics() override;
  Status forget(const IpnsName& name) override;
  BlockSource& blocks() override { return blocks_; }
  void close() override;

 private:
  // Those of our own client, once there is one.
  class Blocks final : public BlockSource {
   public:
    explicit Blocks(const AttachedClient& client) : client_(client) {}
    Result<std::optional<Bytes>> get(const Cid& cid) override;
    bool verifies() const override { return true; }

   private:
    const AttachedClient& client_;
  };
  // What the holder is asked to do.
  struct Wanted {
    std::string method;
    nlohmann::json params;
    control::ControlLink::Answers answers{};
    std::stop_token stop{};
    std::optional<Instant> deadline{};
    int descriptor = -1;
    bool as_we_would = true;  // only when the holder's configuration says the same as ours
  };

  Result<nlohmann::json> ask(const Wanted& wanted) const;
  Result<Outcome> ask_for_outcome(const Wanted& wanted) const;
  Result<std::vector<Device>> ask_for_devices(const Wanted& wanted) const;
  Result<Outcome> ask_to_publish(const IpnsKey& key, const PublishOptions& options,
                                 nlohmann::json params, int descriptor) const;
  Result<std::shared_ptr<Client>> own();
  std::shared_ptr<Client> own_if_open() const;

  const Config config_;  // of the directory that somebody else holds
  const std::filesystem::path place_;
  const std::stop_source closing_;
  Blocks blocks_{*this};
  std::mutex opening_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::optional<TemporaryDirectory> state_;  // outlives the client
  std::shared_ptr<Client> client_;
  bool closed_ = false;
};

}  // namespace ipnscast::sync
