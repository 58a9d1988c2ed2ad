#include "nostr/net/websocket_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "nostr/net/deflate_extension.h"
#include "nostr/net/name_lookup.h"
#include "nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kReceiveBufferBytes = 16 * 1024;
constexpr size_t kCompressFrom = 256;  // shorter ones fit into a packet anyway

int on_server_event(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, size_t size) {
  if (wsi == nullptr) return 0;
  if (reason == LWS_CALLBACK_RAW_RX_FILE) {
    const auto& listeners =
        static_cast<Loop::Impl*>(lws_context_user(lws_get_context(wsi)))->listeners;
    const auto found = listeners.find(wsi);
    return found == listeners.end() ? 0 : found->second->accept_waiting();
  }
  auto* connection = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  if (connection == nullptr) return reason == LWS_CALLBACK_HTTP ? -1 : 0;
  return connection->server->on_event(*connection, reason, in, size);
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

// The IP address, empty for what has none.
std::string address_of(const sockaddr_storage& name, socklen_t size) {
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&name), size, text.data(), text.size(), nullptr,
                  0, NI_NUMERICHOST) != 0)
    return {};
  return text.data();
}

struct Bound {
  int fd = -1;
  uint16_t port = 0;
};

Result<Bound> bind_listener(const std::string& address, uint16_t port) {
  const std::string place = address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return fail(Errc::invalid, "cannot listen on " + place + ": want a numeric address");
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool ok =
      fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, 512) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (!ok) {
    if (fd >= 0) ::close(fd);
    return fail(Errc::io, "cannot listen on " + place + ": " + std::strerror(error));
  }
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  const uint16_t chosen = name.ss_family == AF_INET6
                              ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                              : reinterpret_cast<sockaddr_in*>(&name)->sin_port;
  return Bound{fd, ntohs(chosen)};
}

lws_context_creation_info server_vhost_info() {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = kServerProtocols;
  info.extensions = kServerExtensions;
  info.vhost_name = "server";
  info.alpn = "http/1.1";
  info.keepalive_timeout = 60;
  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8;
  return info;
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
    loop_.impl().listeners.erase(listener_);
    for (auto& [id, connection] : connections_) {
      release_output(*connection);
      lws_set_opaque_user_data(connection->wsi, nullptr);
      lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    }
    connections_.clear();
    // Listening is our own affair because lws leaves the port of a destroyed vhost open for a
    // while.
    if (listener_ != nullptr)
      lws_set_timeout(listener_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    if (tls_vhost_ != nullptr) lws_vhost_destroy(tls_vhost_);
  });
}

Status ServerImpl::open() {
  auto bound = bind_listener(options_.address, options_.port);
  if (!bound) return fail(bound.error());
  lws_vhost* vhost = loop_.impl().server_vhost();
  if (!options_.tls_cert_file.empty()) vhost = tls_vhost_ = open_tls_vhost();
  if (vhost == nullptr) {
    ::close(bound->fd);
    return fail(Errc::invalid, "cannot use the TLS certificate " + options_.tls_cert_file);
  }
  lws_sock_file_fd_type descriptor{};
  descriptor.filefd = bound->fd;
  listener_ = lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                         kServerProtocols[0].name, nullptr);
  if (listener_ == nullptr) {
    ::close(bound->fd);
    return fail(Errc::io, "cannot watch the listening socket");
  }
  loop_.impl().listeners[listener_] = this;
  vhost_ = vhost;
  port_ = bound->port;
  return {};
}

lws_vhost* ServerImpl::open_tls_vhost() {
  lws_context_creation_info info = server_vhost_info();
  auto& names = loop_.impl().vhost_names;
  names.push_back("server-" + std::to_string(loop_.impl().next_id++));
  info.vhost_name = names.back().c_str();
  info.ssl_cert_filepath = options_.tls_cert_file.c_str();
  info.ssl_private_key_filepath = options_.tls_key_file.c_str();
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  TlsContext& no_client = loop_.impl().no_client;
  if (!no_client) no_client.reset(SSL_CTX_new(TLS_client_method()));
  info.provided_client_ssl_ctx = no_client.get();
  return lws_create_vhost(loop_.impl().context, &info);
}

lws_vhost* Loop::Impl::server_vhost() {
  if (shared_server_vhost == nullptr) {
    const lws_context_creation_info info = server_vhost_info();
    shared_server_vhost = lws_create_vhost(context, &info);
  }
  return shared_server_vhost;
}

int ServerImpl::accept_waiting() {
  // A fair share at a time: a flood of new connections must not starve those that are open.
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage name{};
    socklen_t size = sizeof(name);
    const int fd = ::accept4(lws_get_socket_fd(listener_), reinterpret_cast<sockaddr*>(&name),
                             &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return 0;
    std::string address = address_of(name, size);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!has_room_for(address)) {
      ::close(fd);
      continue;
    }
    lws* const wsi = lws_adopt_socket_vhost(vhost_, fd);  // closes the socket when it cannot
    if (wsi != nullptr) add_connection(wsi, std::move(address));
  }
  return 0;
}

bool ServerImpl::has_room_for(const std::string& address) const {
  if (connections_.size() >= options_.max_connections) return false;
  const auto of_address = per_address_.find(address);
  return options_.max_connections_per_address == 0 || of_address == per_address_.end() ||
         of_address->second < options_.max_connections_per_address;
}

void ServerImpl::add_connection(lws* wsi, std::string address) {
  auto made = std::make_unique<ServerConnection>();
  made->id = {loop_.impl().next_id++};
  made->server = this;
  made->wsi = wsi;
  made->peer = peer_address(wsi);
  made->address = std::move(address);
  ++per_address_[made->address];
  made->compress = options_.compress_on_loopback || !NameLookup::is_loopback(made->address);
  made->reader = std::make_unique<MessageReader>(options_.max_frame_bytes);
  lws_set_opaque_user_data(wsi, made.get());
  connections_[made->id.value] = std::move(made);
}

ServerConnection* ServerImpl::find(ServerConnectionId id) {
  const auto found = connections_.find(id.value);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ServerImpl::forget(ServerConnection& c) {
  lws_set_opaque_user_data(c.wsi, nullptr);
  release_output(c);
  drop_unsent(c);
  const ServerConnectionId id = c.id;
  const bool upgraded = c.upgraded;
  const auto of_address = per_address_.find(c.address);
  if (--of_address->second == 0) per_address_.erase(of_address);
  connections_.erase(id.value);
  if (upgraded && handlers_.closed) handlers_.closed(id);
}

int ServerImpl::accept_upgrade(ServerConnection& c) {
  c.upgraded = true;
  if (handlers_.opened) handlers_.opened(c.id, c.peer);
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
  const std::string_view part(static_cast<const char*>(in), in == nullptr ? 0 : size);
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return http_request(c, part);
    case LWS_CALLBACK_HTTP_BODY:
      return http_body(c, part);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
      return dispatch(c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return http_writable(c);
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
