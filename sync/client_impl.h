#pragma once

// Private: what stands behind sync/client.h. Members in the order in which they are built; they end
// in reverse.
#include "ipnscast/nostr/base/store/file_lock.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/sync/client_gate.h"
#include "ipnscast/sync/control/control_server.h"
#include "ipnscast/sync/devices/presence.h"
#include "ipnscast/sync/engine/sync_thread.h"
#include "ipnscast/sync/fetch/fetcher.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/keys/private_key.h"
#include "ipnscast/sync/publish/publisher.h"
#include "ipnscast/sync/source/relay_source.h"

namespace ipnscast::sync {

// The client itself. Its calls are let in by a ClientHandle, which counts them at the gate. Owned
// by the handle, by calls in flight and by handlers that run: the last of them ends it.
class ClientImpl final : public Client, public std::enable_shared_from_this<ClientImpl> {
 public:
  explicit ClientImpl(Config config) : config_(std::move(config)) {}
  ~ClientImpl() override { close(); }

  ClientGate& gate() { return gate_; }
  // After a call or handler has left the gate, on its thread: who is the last one, and was asked to
  // by somebody who closed from inside, ends the client.
  void somebody_left();

  Status start();

  Status watch(const IpnsName& name, WatchOptions options) override;
  void unwatch(const IpnsName& name) override;
  Result<TakenChange> next_change(std::stop_token stop, std::optional<Instant> deadline) override;
  Status acknowledge(uint64_t id, const Handled& handled) override;
  Result<int> event_fd() override { return sync_->pulled().event_fd(); }
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
  Result<ResolveReport> resolve(const IpnsName& name, Milliseconds deadline, Freshness freshness,
                                std::stop_token stop) override;
  void invalidate(const IpnsName& name) override;
  Status tell(const ToldNews& news) override;
  Status take_in(const IpnsName& name, const IpnsRecord& record) override;
  std::vector<LostPublish> lost(const IpnsName& name) override;
  Status acknowledge_lost(const IpnsName& name) override;
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
  PrivateHintCounters private_hints() const override {
    return {private_tally_->read, private_tally_->dropped};
  }
  HandlerHealth handlers() const override { return sync_->handlers().health(); }
  Status forget(const IpnsName& name) override;
  Metrics metrics() override;
  BlockSource& blocks() override { return *cache_; }
  void close() override;

 private:
  void end(bool wait);
  void end_parts();
  std::shared_ptr<void> handler_begins();
  // client_conflicts.cpp: on lanes
  void decide(const IpnsName& name, const writer_action::AskResolution& about);
  Result<Resolution> ask_program(const IpnsName& name, const writer_action::AskResolution& about);
  Status bring(const Cid& cid);
  Result<std::optional<IpnsRecord>> known_record_of(const IpnsName& name);
  Status check_config();
  Status open_state();
  Status open_private_names();
  Status open_network();
  Status open_cache();
  void open_threads();
  // client_devices.cpp
  void open_presence();
  void note_taken(const IpnsName& name, const Version& version);
  void tell_own_past();
  void follow_what_is_open();
  void take_commands();
  void take_another_identity();
  Result<Outcome> timed_publish(const IpnsKey& key, const PublishOptions& options,
                                const std::function<Result<Outcome>()>& publish);
  void save_metrics();
  void save_metrics_in_turn();
  SyncThread::Options sync_options();
  std::vector<MakeSource> sources(const std::shared_ptr<KnownHints>& known);
  void add_stream_sources(std::vector<MakeSource>& out);
  RelaySource::Options relay_options() const;
  Status open_stream_client();
  Publisher::Options publisher_options() const;
  nostr::OutboxSender::Options outbox_options();

  // constant after start()
  Config config_;
  std::shared_ptr<DeviceIdentity> identity_;
  std::shared_ptr<const PrivateNames> private_names_;  // null: none

  // What our servers say the time is, by their dates.
  const std::shared_ptr<ClockWitness> witness_ = std::make_shared<ClockWitness>();

  const std::shared_ptr<PrivateHintTally> private_tally_ = std::make_shared<PrivateHintTally>();

  Meter meter_;
  Instant metrics_saved_{};  // sync thread, then close()
  std::optional<store::FileLock> lock_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<nostr::net::Loop> loop_;
  std::unique_ptr<gateway::HttpClient> http_;
  std::unique_ptr<gateway::HttpClient> stream_http_;  // null: nothing is streamed
  std::unique_ptr<gateway::GatewayBook> book_;
  std::unique_ptr<BlockCache> cache_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<RecordSender> records_;
  std::unique_ptr<ContentSender> contents_;
  std::unique_ptr<nostr::Pool> pool_;
  std::atomic<Publisher*> repairing_ = nullptr;  // for the outbox thread, once it is loaded
  std::unique_ptr<nostr::OutboxSender> outbox_;
  std::shared_ptr<Presence> presence_;  // null: this device is not told of
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<SyncThread> sync_;
  std::unique_ptr<control::ControlServer> control_;  // null: nobody else gives commands

  using ConflictHandler = std::function<Result<Resolution>(const Conflict&)>;
  std::mutex conflict_mutex_;
  // Guarded by conflict_mutex_.
  std::map<IpnsName, std::shared_ptr<const ConflictHandler>> conflict_handlers_;
  void set_conflict_handler(const IpnsName& name, ConflictHandler handler);

  ClientGate gate_;
  std::mutex end_mutex_;
  std::condition_variable end_changed_;
  bool ending_ = false;  // guarded by end_mutex_
  bool ended_ = false;   // guarded by end_mutex_
};

}  // namespace ipnscast::sync
