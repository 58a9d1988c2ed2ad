#include "ipnscast/nostr/net/websocket_server.h"

#include "ipnscast/nostr/net/deflate_extension.h"
#include "ipnscast/nostr/net/server_socket.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kCompressFrom = 256;  // shorter ones fit into a packet anyway

int on_server_event(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, size_t size) {
  if (wsi == nullptr) return 0;
  auto* connection = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  if (connection == nullptr) {
    // lws reads what a socket brought along before it says which one it made of it.
    ServerConnection* const adopted =
        static_cast<Loop::Impl*>(lws_context_user(lws_get_context(wsi)))->adopted;
    const bool is_this =
        adopted != nullptr && adopted->wsi == nullptr && lws_get_socket_fd(wsi) == adopted->fd;
    if (!is_this) return reason == LWS_CALLBACK_HTTP ? -1 : 0;
    connection = adopted;
    connection->wsi = wsi;
    lws_set_opaque_user_data(wsi, connection);
  }
  return connection->server->on_event(*connection, reason, in, size);
}

// lws keeps the pointer until it has freed the last socket of a vhost, some time after a server of
// ours is gone.
const lws_protocols kServerProtocols[] = {
    {"ipnscast-server", on_server_event, 0, kReceiveBufferBytes, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

lws_context_creation_info server_vhost_info() {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = kServerProtocols;
  info.extensions = kServerExtensions;
  info.vhost_name = "server";
  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8;
  return info;
}

void kill_later(lws* wsi) {
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

}  // namespace

ServerImpl::ServerImpl(Loop& loop, ServerOptions options, ServerHandlers handlers)
    : loop_(loop),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      held_bodies_(std::make_shared<HeldBytes>(options_.max_held_bodies,
                                               options_.max_held_bodies_per_address)) {}

ServerImpl::~ServerImpl() {
  loop_.run([this] {
    *self_ = nullptr;
    if (listener_) watch().forget(listener_.get());
    listener_.reset();
    http_.clear();
    for (auto& [id, connection] : connections_) {
      lws_set_opaque_user_data(connection->wsi, nullptr);
      lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    }
    connections_.clear();
    tls_.close();
  });
}

Status ServerImpl::open() {
  if (loop_.impl().server_vhost() == nullptr) return fail(Errc::io, "cannot set up connections");
  if (!options_.tls_cert_file.empty()) {
    if (Status opened = tls_.open(options_.tls_cert_file, options_.tls_key_file); !opened)
      return opened;
  }
  return open_listener();
}

lws_vhost* Loop::Impl::server_vhost() {
  if (shared_server_vhost == nullptr) {
    const lws_context_creation_info info = server_vhost_info();
    shared_server_vhost = lws_create_vhost(context, &info);
  }
  return shared_server_vhost;
}

// lws gets a request of our own writing, with what the client's can say to it.
void ServerImpl::become_websocket(uint64_t id, HttpConnection& http) {
  constexpr size_t kMaxExtensions = 1024;
  const WebSocketWish& wish = http.wish();
  std::string request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
      wish.key + "\r\n";
  if (!wish.extensions.empty() && wish.extensions.size() <= kMaxExtensions)
    request += "Sec-WebSocket-Extensions: " + wish.extensions + "\r\n";
  request += "\r\n";
  request += http.rest();

  auto made = std::make_unique<ServerConnection>();
  ServerConnection& c = *made;
  c.id = {id};
  c.server = this;
  c.peer = http.peer();
  c.compress = options_.compress_on_loopback || !NameLookup::is_loopback(c.peer.text);
  c.reader = std::make_unique<MessageReader>(options_.max_frame_bytes);
  UniqueFd socket = http.take_socket();
  c.fd = socket.get();
  --per_address_.at(c.peer.group).http;
  http_.erase(id);
  connections_[id] = std::move(made);

  loop_.impl().adopted = &c;
  // Closes the socket when it cannot take it. `c` may be gone behind it.
  lws_adopt_socket_vhost_readbuf(loop_.impl().server_vhost(), socket.release(), request.data(),
                                 request.size());
  loop_.impl().adopted = nullptr;
  const auto found = connections_.find(id);
  if (found != connections_.end() && found->second->wsi == nullptr) forget(*found->second);
}

ServerConnection* ServerImpl::find(ServerConnectionId id) {
  const auto found = connections_.find(id.value);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ServerImpl::forget(ServerConnection& c) {
  if (c.wsi != nullptr) lws_set_opaque_user_data(c.wsi, nullptr);
  if (loop_.impl().adopted == &c) loop_.impl().adopted = nullptr;
  drop_unsent(c);
  const ServerConnectionId id = c.id;
  const bool upgraded = c.upgraded;
  forget_address(c.peer.group);
  connections_.erase(id.value);
  if (upgraded && handlers_.closed) handlers_.closed(id);
}

int ServerImpl::accept_upgrade(ServerConnection& c) {
  c.upgraded = true;
  if (handlers_.opened) handlers_.opened(c.id, c.peer.text);
  return 0;
}

int ServerImpl::received(ServerConnection& c, const MessageReader::Part& part) {
  if (c.closing) return 0;
  auto frame = c.reader->add(part);
  if (!frame) {
    c.closing = true;
    kill_later(c.wsi);  // not -1: see on_client_event
    return 0;
  }
  if (!*frame) return 0;
  if (handlers_.frame && !handlers_.frame(c.id, std::move(**frame))) lws_rx_flow_control(c.wsi, 0);
  return 0;
}

int ServerImpl::frame_writable(ServerConnection& c) {
  if (c.unsent.empty()) {
    // 1013, "try again later", would say more, but clients made with lws 4.1.6 take it for an
    // error.
    if (c.too_slow) lws_close_reason(c.wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, nullptr, 0);
    return c.closing ? -1 : 0;
  }
  const auto frame = pop_unsent(c);
  std::optional<std::string> compressed;
  if (c.compress && c.reader->deflate() && frame->size() >= kCompressFrom) {
    compressed = loop_.impl().deflater.message(*frame);
  }
  std::string padded(LWS_PRE, '\0');
  padded += compressed ? *compressed : *frame;
  const size_t size = padded.size() - LWS_PRE;
  auto* data = reinterpret_cast<unsigned char*>(padded.data()) + LWS_PRE;
  c.writing_compressed = compressed.has_value();
  const int written = lws_write(c.wsi, data, size, LWS_WRITE_TEXT);
  c.writing_compressed = false;
  if (written < static_cast<int>(size)) return -1;
  tell_if_drained(c);
  if (!c.unsent.empty() || c.closing) lws_callback_on_writable(c.wsi);
  return 0;
}

int ServerImpl::on_event(ServerConnection& c, lws_callback_reasons reason, void* in, size_t size) {
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return -1;  // it was to be a WebSocket
    case LWS_CALLBACK_ESTABLISHED:
      return accept_upgrade(c);
    case LWS_CALLBACK_RECEIVE:
      if (lws_frame_is_binary(c.wsi)) return 0;
      return received(c, part_of(c.wsi, in, size));
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
      return options_.deflate && deflate_offer_fits(c.wsi) ? 0 : 1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return frame_writable(c);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
      forget(c);
      return 0;
    default:
      return 0;
  }
}

void ServerImpl::post(std::function<void(ServerImpl&)> task) {
  loop_.post([self = self_, task = std::move(task)] {
    if (*self != nullptr) task(**self);
  });
}

void ServerImpl::send(ServerConnectionId id, std::shared_ptr<const std::string> frame) {
  post([id, frame = std::move(frame)](ServerImpl& self) mutable {
    ServerConnection* c = self.find(id);
    if (c == nullptr || c->closing) return;
    self.enqueue(*c, std::move(frame));
  });
}

void ServerImpl::close(ServerConnectionId id) {
  post([id](ServerImpl& self) {
    ServerConnection* c = self.find(id);
    if (c == nullptr) return;
    c->closing = true;  // after what is queued
    lws_callback_on_writable(c->wsi);
  });
}

Result<std::unique_ptr<WebSocketServer>> listen(Loop& loop, ServerOptions options,
                                                ServerHandlers handlers) {
  auto server = std::make_unique<ServerImpl>(loop, std::move(options), std::move(handlers));
  Status opened;
  loop.run([&] { opened = server->open(); });
  if (!opened) return fail(opened.error());
  return server;
}

}  // namespace ipnscast::nostr::net
