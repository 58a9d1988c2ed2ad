#pragma once

// Private: see sync/client_impl.h.
#include "ipnscast/sync/client_impl.h"

namespace ipnscast::sync {

// What the user holds of a client: lets calls in until it is closed, ends them when it is or when
// they are asked to stop, and keeps what they use alive as long as one of them or a handler runs.
class ClientHandle final : public Client {
 public:
  enum class At { user, control };
  // `at`: for a call from elsewhere, which does not close the client when it ends.
  explicit ClientHandle(std::shared_ptr<ClientImpl> client, At at = At::user)
      : client_(std::move(client)), at_(at) {}
  ~ClientHandle() override {
    if (at_ == At::user) close();
  }

  Status watch(const IpnsName& name, WatchOptions options) override;
  void unwatch(const IpnsName& name) override;
  Result<TakenChange> next_change(std::stop_token stop, std::optional<Instant> deadline) override;
  Status acknowledge(uint64_t id, const Handled& handled) override;
  Result<int> event_fd() override;
  Status keep_alive(const IpnsKey& key) override;
  Status take_in(const IpnsName& name, const IpnsRecord& record) override;
  Result<Outcome> publish(const IpnsKey& key, const std::filesystem::path& path,
                          const PublishOptions& options) override;
  Result<Outcome> publish_cid(const IpnsKey& key, const Cid& cid,
                              const PublishOptions& options) override;
  Result<Outcome> announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                           std::optional<IpnsRecord> record, std::stop_token stop, bool trust_clock,
                           std::optional<Instant> deadline) override;
  Result<Outcome> retract(const IpnsName& name, std::stop_token stop,
                          std::optional<Instant> deadline) override;
  std::vector<LostPublish> lost(const IpnsName& name) override;
  Status acknowledge_lost(const IpnsName& name) override;
  Result<ResolveReport> resolve(const IpnsName& name, Milliseconds deadline, Freshness freshness,
                                std::stop_token stop) override;
  void invalidate(const IpnsName& name) override;
  Status tell(const ToldNews& news) override;
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
  PrivateHintCounters private_hints() const override { return client_->private_hints(); }
  HandlerHealth handlers() const override { return client_->handlers(); }
  Metrics metrics() override;
  Status forget(const IpnsName& name) override;
  BlockSource& blocks() override { return client_->blocks(); }
  void close() override;

 private:
  const std::shared_ptr<ClientImpl> client_;
  const At at_;
};

}  // namespace ipnscast::sync
