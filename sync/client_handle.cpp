#include "ipnscast/sync/client_handle.h"

namespace ipnscast::sync {
namespace {

// That a call failed because the client was closed meanwhile, whatever it says itself.
bool closing_does_this(Errc code) {
  switch (code) {
    case Errc::cancelled:
    case Errc::closed:
    case Errc::timeout:
    case Errc::unreachable:
    case Errc::busy:
    case Errc::not_found:
    case Errc::io:
      return true;
    default:
      return false;
  }
}

// A call by the user, from its beginning to its end. The client outlives it, whatever becomes of
// the handle.
class Stay {
 public:
  Stay(std::shared_ptr<ClientImpl> client, std::stop_token asked = {})
      : client_(std::move(client)),
        entered_(client_->gate().enter()),
        on_asked_(std::move(asked), Stop{&stop_}),
        on_closing_(client_->gate().stopping(), Stop{&stop_}) {
    if (entered_) inside_.emplace(client_->gate(), ClientGate::Inside::As::call);
  }
  ~Stay() {
    inside_.reset();
    if (!entered_) return;
    client_->gate().leave();
    client_->somebody_left();
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

  ClientImpl* operator->() { return client_.get(); }
  std::stop_token stop() const { return stop_.get_token(); }
  // What `run` gives; Errc::closed when the client is closed, before or meanwhile.
  template <typename Do>
  auto run(Do&& what) -> decltype(what()) {
    if (!entered_) return fail(Errc::closed, "the client is closed");
    auto out = what();
    if (!out && client_->gate().closing() && closing_does_this(out.error().code))
      return fail(Errc::closed, "the client was closed meanwhile");
    return out;
  }
  explicit operator bool() const { return entered_; }

 private:
  struct Stop {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };

  const std::shared_ptr<ClientImpl> client_;
  const bool entered_;
  std::stop_source stop_;
  const std::stop_callback<Stop> on_asked_;
  const std::stop_callback<Stop> on_closing_;
  std::optional<ClientGate::Inside> inside_;
};

// The callback, with its thread marked as being in one.
template <typename Progress>
std::function<void(const Progress&)> marked(const ClientGate& gate,
                                            const std::function<void(const Progress&)>& tell) {
  if (!tell) return nullptr;
  return [&gate, tell](const Progress& now) {
    const ClientGate::Inside inside(gate, ClientGate::Inside::As::progress);
    tell(now);
  };
}

}  // namespace

Status ClientHandle::watch(const IpnsName& name, WatchOptions options) {
  Stay visit(client_);
  return visit.run([&] { return visit->watch(name, std::move(options)); });
}

void ClientHandle::unwatch(const IpnsName& name) {
  if (Stay visit(client_); visit) visit->unwatch(name);
}

Result<TakenChange> ClientHandle::next_change(std::stop_token stop,
                                              std::optional<Instant> deadline) {
  Stay visit(client_, std::move(stop));
  return visit.run([&] { return visit->next_change(visit.stop(), deadline); });
}

Status ClientHandle::acknowledge(uint64_t id, const Handled& handled) {
  Stay visit(client_);
  return visit.run([&] { return visit->acknowledge(id, handled); });
}

Result<int> ClientHandle::event_fd() {
  Stay visit(client_);
  return visit.run([&] { return visit->event_fd(); });
}

Result<Outcome> ClientHandle::publish(const IpnsKey& key, const std::filesystem::path& path,
                                      const PublishOptions& options) {
  Stay visit(client_, options.stop);
  PublishOptions own = options;
  own.stop = visit.stop();
  own.on_progress = marked(visit->gate(), options.on_progress);
  return visit.run([&] { return visit->publish(key, path, own); });
}

Result<Outcome> ClientHandle::publish_cid(const IpnsKey& key, const Cid& cid,
                                          const PublishOptions& options) {
  Stay visit(client_, options.stop);
  PublishOptions own = options;
  own.stop = visit.stop();
  own.on_progress = marked(visit->gate(), options.on_progress);
  return visit.run([&] { return visit->publish_cid(key, cid, own); });
}

Result<Outcome> ClientHandle::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                       std::optional<IpnsRecord> record, std::stop_token stop,
                                       bool trust_clock, std::optional<Instant> deadline) {
  Stay visit(client_, std::move(stop));
  return visit.run([&] {
    return visit->announce(name, cid, sequence, std::move(record), visit.stop(), trust_clock,
                           deadline);
  });
}

Result<Outcome> ClientHandle::retract(const IpnsName& name, std::stop_token stop,
                                      std::optional<Instant> deadline) {
  Stay visit(client_, std::move(stop));
  return visit.run([&] { return visit->retract(name, visit.stop(), deadline); });
}

Status ClientHandle::keep_alive(const IpnsKey& key) {
  Stay visit(client_);
  return visit.run([&] { return visit->keep_alive(key); });
}

Status ClientHandle::take_in(const IpnsName& name, const IpnsRecord& record) {
  Stay visit(client_);
  return visit.run([&] { return visit->take_in(name, record); });
}

std::vector<LostPublish> ClientHandle::lost(const IpnsName& name) {
  Stay visit(client_);
  return visit ? visit->lost(name) : std::vector<LostPublish>();
}

Status ClientHandle::acknowledge_lost(const IpnsName& name) {
  Stay visit(client_);
  return visit.run([&] { return visit->acknowledge_lost(name); });
}

Result<ResolveReport> ClientHandle::resolve(const IpnsName& name, Milliseconds deadline,
                                            Freshness freshness, std::stop_token stop) {
  Stay visit(client_, std::move(stop));
  return visit.run([&] { return visit->resolve(name, deadline, freshness, visit.stop()); });
}

void ClientHandle::invalidate(const IpnsName& name) {
  if (Stay visit(client_); visit) visit->invalidate(name);
}

Status ClientHandle::tell(const ToldNews& news) {
  Stay visit(client_);
  return visit.run([&] { return visit->tell(news); });
}

Status ClientHandle::get(const Cid& cid, std::string_view path, const std::filesystem::path& target,
                         const GetOptions& options) {
  Stay visit(client_, options.stop);
  GetOptions own = options;
  own.stop = visit.stop();
  own.on_progress = marked(visit->gate(), options.on_progress);
  return visit.run([&] { return visit->get(cid, path, target, own); });
}

Result<std::vector<Device>> ClientHandle::devices(Instant deadline, std::stop_token stop) {
  Stay visit(client_, std::move(stop));
  return visit.run([&] { return visit->devices(deadline, visit.stop()); });
}

Result<std::vector<Device>> ClientHandle::wait_applied(const IpnsName& name, const Version& version,
                                                       size_t count, Instant deadline,
                                                       std::stop_token stop) {
  Stay visit(client_, std::move(stop));
  return visit.run(
      [&] { return visit->wait_applied(name, version, count, deadline, visit.stop()); });
}

Result<std::vector<HeardVersion>> ClientHandle::history(const IpnsName& name, size_t most) {
  Stay visit(client_);
  return visit.run([&] { return visit->history(name, most); });
}

Status ClientHandle::replay(const IpnsName& name, UnixMillis since) {
  Stay visit(client_);
  return visit.run([&] { return visit->replay(name, since); });
}

std::vector<NameStatus> ClientHandle::status() {
  Stay visit(client_);
  return visit ? visit->status() : std::vector<NameStatus>();
}

std::vector<GatewayStatus> ClientHandle::gateways() {
  Stay visit(client_);
  return visit ? visit->gateways() : std::vector<GatewayStatus>();
}

// Once closed, what was counted until then.
Metrics ClientHandle::metrics() {
  const auto client = client_;
  return client->metrics();
}

Status ClientHandle::forget(const IpnsName& name) {
  Stay visit(client_);
  return visit.run([&] { return visit->forget(name); });
}

void ClientHandle::close() {
  const auto client = client_;
  client->close();
}

}  // namespace ipnscast::sync
