#include "nostr/net/websocket_server.h"

#include "nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kReceiveBufferBytes = 16 * 1024;

int on_server_event(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, size_t size) {
  if (wsi == nullptr || lws_get_vhost(wsi) == nullptr) return 0;
  const auto& servers = static_cast<Loop::Impl*>(lws_context_user(lws_get_context(wsi)))->servers;
  const auto found = servers.find(lws_get_vhost(wsi));
  return found == servers.end() ? 0 : found->second->on_event(wsi, reason, in, size);
}

// lws keeps the pointer until it has freed the last socket of a vhost, some time after a server of
// ours is gone.
const lws_protocols kServerProtocols[] = {
    {"ipnscast-server", on_server_event, 0, kReceiveBufferBytes, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

std::string peer_address(lws* wsi) {
  std::array<char, 64> text{};
  lws_get_peer_simple(wsi, text.data(), text.size());
  return text.data();
}

void kill_later(lws* wsi) {
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

}  // namespace

ServerImpl::ServerImpl(Loop& loop, ServerOptions options, ServerHandlers handlers)
    : loop_(loop), options_(std::move(options)), handlers_(std::move(handlers)) {}

ServerImpl::~ServerImpl() {
  loop_.run([this] {
    *self_ = nullptr;
    loop_.impl().servers.erase(vhost_);
    for (auto& [id, connection] : connections_) {
      release_output(*connection);
      lws_set_opaque_user_data(connection->wsi, nullptr);
    }
    connections_.clear();
    if (vhost_ != nullptr) lws_vhost_destroy(vhost_);
  });
}

Status ServerImpl::open() {
  lws_context_creation_info info{};
  info.port = options_.port;
  info.iface = options_.address.c_str();
  info.protocols = kServerProtocols;
  const std::string name = "server-" + std::to_string(loop_.impl().next_id++);
  info.vhost_name = name.c_str();
  info.alpn = "http/1.1";
  info.keepalive_timeout = 60;
  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (!options_.tls_cert_file.empty()) {
    info.ssl_cert_filepath = options_.tls_cert_file.c_str();
    info.ssl_private_key_filepath = options_.tls_key_file.c_str();
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  }
  vhost_ = lws_create_vhost(loop_.impl().context, &info);
  if (vhost_ == nullptr) {
    return fail(Errc::io, "cannot listen on " + options_.address + ":" +
                              std::to_string(options_.port) + " (taken, or no such address)");
  }
  loop_.impl().servers[vhost_] = this;
  port_ = static_cast<uint16_t>(lws_get_vhost_listen_port(vhost_));
  return {};
}

ServerConnection* ServerImpl::connection_of(lws* wsi) {
  auto* known = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  if (known != nullptr) return known;
  if (connections_.size() >= options_.max_connections) return nullptr;
  auto made = std::make_unique<ServerConnection>();
  made->id = {loop_.impl().next_id++};
  made->server = this;
  made->wsi = wsi;
  made->peer = peer_address(wsi);
  known = made.get();
  lws_set_opaque_user_data(wsi, known);
  connections_[known->id.value] = std::move(made);
  return known;
}

ServerConnection* ServerImpl::find(ServerConnectionId id) {
  const auto found = connections_.find(id.value);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ServerImpl::forget(lws* wsi) {
  auto* c = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  if (c == nullptr) return;
  lws_set_opaque_user_data(wsi, nullptr);
  release_output(*c);
  const ServerConnectionId id = c->id;
  const bool upgraded = c->upgraded;
  connections_.erase(id.value);
  if (upgraded && handlers_.closed) handlers_.closed(id);
}

int ServerImpl::accept_upgrade(lws* wsi) {
  ServerConnection* c = connection_of(wsi);
  if (c == nullptr) return -1;
  c->upgraded = true;
  if (handlers_.opened) handlers_.opened(c->id, c->peer);
  return 0;
}

int ServerImpl::received(ServerConnection& c, std::string_view part, bool last) {
  if (c.closing) return 0;
  if (c.partial.size() + part.size() > options_.max_frame_bytes) {
    lws_close_reason(c.wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, nullptr, 0);
    return -1;
  }
  c.partial.append(part);
  if (!last) return 0;
  std::string frame;
  frame.swap(c.partial);
  if (handlers_.frame && !handlers_.frame(c.id, std::move(frame))) lws_rx_flow_control(c.wsi, 0);
  return 0;
}

int ServerImpl::frame_writable(ServerConnection& c) {
  if (c.unsent.empty()) return c.closing ? -1 : 0;
  const auto frame = std::move(c.unsent.front());
  c.unsent.pop_front();
  c.unsent_bytes -= frame->size();
  std::string padded(LWS_PRE, '\0');
  padded += *frame;
  auto* data = reinterpret_cast<unsigned char*>(padded.data()) + LWS_PRE;
  if (lws_write(c.wsi, data, frame->size(), LWS_WRITE_TEXT) < static_cast<int>(frame->size())) {
    return -1;
  }
  if (!c.unsent.empty() || c.closing) lws_callback_on_writable(c.wsi);
  return 0;
}

int ServerImpl::on_event(lws* wsi, lws_callback_reasons reason, void* in, size_t size) {
  auto* c = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  const std::string_view part(static_cast<const char*>(in), in == nullptr ? 0 : size);
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return http_request(wsi, part);
    case LWS_CALLBACK_HTTP_BODY:
      return c == nullptr ? -1 : http_body(*c, part);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
      return c == nullptr ? -1 : dispatch(*c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return c == nullptr ? -1 : http_writable(*c);
    case LWS_CALLBACK_ESTABLISHED:
      return accept_upgrade(wsi);
    case LWS_CALLBACK_RECEIVE:
      if (c == nullptr) return -1;
      if (lws_frame_is_binary(wsi)) return 0;
      return received(*c, part,
                      lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0);
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return c == nullptr ? -1 : frame_writable(*c);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
      forget(wsi);
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
    if (c->unsent_bytes + frame->size() > self.options_.max_unsent_bytes) {
      c->closing = true;
      c->unsent.clear();
      return kill_later(c->wsi);
    }
    c->unsent_bytes += frame->size();
    c->unsent.push_back(std::move(frame));
    lws_callback_on_writable(c->wsi);
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

void ServerImpl::resume_reading(ServerConnectionId id) {
  post([id](ServerImpl& self) {
    if (ServerConnection* c = self.find(id)) lws_rx_flow_control(c->wsi, 1);
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
