#include "ipnscast/nostr/server/relay_server.h"

#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/base/store/file_lock.h"
#include "ipnscast/nostr/server/own_address.h"
#include "ipnscast/nostr/server/relay_information.h"
#include "ipnscast/nostr/server/relay_thread.h"

namespace ipnscast::nostr::server {
namespace {

constexpr size_t kMaxQueuedInputs = 512;

// More than AnswerPace lets stored answers pile up to: what exceeds it is live.
constexpr size_t kMaxUnsentBytes = 32 * 1024 * 1024;

}  // namespace

struct RelayServer::Impl {
  explicit Impl(RelayServerOptions wanted)
      : options(std::move(wanted)), info(to_bytes(relay_information(options.relay))) {}

  // Top-down: first nothing more comes in, then what came in is committed and answered, then the
  // sockets close.
  ~Impl() {
    inbox.close();
    thread.reset();
    network.reset();
  }

  Status start(net::Loop& loop) {
    const bool on_disk = !options.directory.empty();
    if (on_disk) {
      auto taken = store::FileLock::acquire(options.directory);
      if (!taken) return fail(taken.error());
      lock = std::make_unique<store::FileLock>(std::move(*taken));
    }
    auto events = RelayStore::open(on_disk ? options.directory / "relay.db" : ":memory:",
                                   options.max_store_bytes);
    if (!events) return fail(events.error());
    net::ServerOptions sockets;
    sockets.address = options.address;
    sockets.port = options.port;
    for (const auto& url : options.urls) sockets.host_names.push_back(url.host());
    sockets.max_frame_bytes = options.relay.max_message_bytes;
    sockets.max_body_bytes = 0;
    sockets.max_connections = options.max_connections;
    sockets.max_connections_per_address = options.max_connections_per_address;
    sockets.max_unsent_bytes = kMaxUnsentBytes;
    sockets.max_unsent_total = options.max_waiting_bytes;
    sockets.last_words = to_frame(RelayMessage(
        NoticeMessage{"error: you read too slowly for what you subscribed to: come again later"}));
    sockets.refusal_headers = for_any_origin();
    sockets.deflate = true;
    sockets.compress_on_loopback = false;
    auto listening = net::listen(loop, sockets, handlers());
    if (!listening) return fail(listening.error());
    network = std::move(*listening);
    RelayOptions relay = options.relay;
    relay.is_own_url = OwnAddress{options.address, network->port(), options.urls};
    thread = std::make_unique<RelayThread>(inbox, std::move(*events), std::move(relay), *network);
    return {};
  }

  // All run on the net thread.
  net::ServerHandlers handlers() {
    net::ServerHandlers out;
    out.http = [this](const net::HttpRequest& request,
                      const std::shared_ptr<net::HttpReply>& reply) {
      reply->send(answer_http(request));
    };
    out.opened = [this](ServerConnectionId id, const std::string&) {
      inbox.push_reserved(ConnectionOpened{id});
    };
    out.drained = [this](ServerConnectionId id) { inbox.push_reserved(ConnectionDrained{id}); };
    out.closed = [this](ServerConnectionId id) { inbox.push_reserved(ConnectionClosed{id}); };
    // A full inbox takes one more frame of each connection, and stops reading from it.
    out.frame = [this](ServerConnectionId id, std::string text) {
      RelayInput input = FrameArrived{id, std::move(text)};
      if (inbox.try_push(std::move(input))) return true;
      std::get<FrameArrived>(input).reading_paused = true;
      inbox.push_reserved(std::move(input));
      return false;
    };
    return out;
  }

  static std::map<std::string, std::string> for_any_origin() {
    return {{"access-control-allow-origin", "*"},
            {"access-control-allow-headers", "*"},
            {"access-control-allow-methods", "GET, HEAD, OPTIONS"}};
  }

  // NIP-11: the document for who asks for it, of any origin.
  net::HttpResponse answer_http(const net::HttpRequest& request) const {
    std::map<std::string, std::string> headers = for_any_origin();
    if (request.method == "OPTIONS") return {204, std::move(headers), {}};
    if (request.method != "GET" && request.method != "HEAD") return {405, std::move(headers), {}};
    const auto accept = request.headers.find("accept");
    if (accept != request.headers.end() &&
        lower_case(accept->second).find("application/nostr+json") != std::string::npos) {
      headers["content-type"] = "application/nostr+json";
      return {200, std::move(headers), info};
    }
    headers["content-type"] = "text/plain";
    return {200, std::move(headers), to_bytes(std::string_view("This is a Nostr relay.\n"))};
  }

  // constant after start
  const RelayServerOptions options;
  const Bytes info;
  std::unique_ptr<store::FileLock> lock;

  Inbox<RelayInput> inbox{kMaxQueuedInputs};
  std::unique_ptr<net::WebSocketServer> network;
  std::unique_ptr<RelayThread> thread;
};

RelayServer::RelayServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelayServer::~RelayServer() = default;

Result<std::unique_ptr<RelayServer>> RelayServer::start(net::Loop& loop,
                                                        RelayServerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status started = impl->start(loop); !started) return fail(started.error());
  return std::unique_ptr<RelayServer>(new RelayServer(std::move(impl)));
}

uint16_t RelayServer::port() const { return impl_->network->port(); }

std::string RelayServer::url() const {
  const bool v6 = impl_->options.address.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + impl_->options.address + "]" : impl_->options.address;
  return "ws://" + host + ":" + std::to_string(port());
}

RelayCounters RelayServer::counters() const { return impl_->thread->counters(); }

}  // namespace ipnscast::nostr::server
