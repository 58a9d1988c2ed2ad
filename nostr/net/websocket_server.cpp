#include "ipnscast/nostr/net/websocket_server.h"

#include <openssl/sha.h>
#include <sys/epoll.h>

#include <array>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/net/message/deflate_offer.h"
#include "ipnscast/nostr/net/server_socket.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::nostr::net {
namespace {

// What the server answers to a client's key. RFC 6455 section 4.2.2
std::string accept_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return to_base64(digest);
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
    for (auto& [id, connection] : connections_) go_away(*connection);
    connections_.clear();
    tls_.close();
  });
}

Status ServerImpl::open() {
  if (!options_.tls_cert_file.empty()) {
    if (Status opened = tls_.open(options_.tls_cert_file, options_.tls_key_file); !opened)
      return opened;
  }
  return open_listener();
}

void ServerImpl::become_websocket(uint64_t id, HttpConnection& http) {
  const WebSocketWish wish = http.wish();
  std::string rest(http.rest());
  const PeerAddress peer = http.peer();
  UniqueFd socket = http.take_socket();
  const int fd = socket.get();
  --per_address_.at(peer.group).http;
  http_.erase(id);

  auto made = std::make_unique<ServerConnection>(ServerConnectionId{id}, std::move(socket), peer,
                                                 options_.max_frame_bytes);
  ServerConnection& c = *made;
  connections_[id] = std::move(made);
  c.heard = std::chrono::steady_clock::now();
  c.compress = options_.compress_on_loopback || !NameLookup::is_loopback(peer.text);
  c.out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_key(wish.key) + "\r\n";
  if (const auto deflate = accept_deflate(options_.deflate ? wish.extensions : "")) {
    c.reader.agree_on_deflate();
    c.out += "Sec-WebSocket-Extensions: " + *deflate + "\r\n";
  }
  c.out += "\r\n";
  c.watched = EPOLLIN;
  const auto ready = [this, id](uint32_t events) { frames_ready(id, events); };
  if (!watch().watch(fd, c.watched, ready)) {
    c.told = true;  // nobody knows of it
    return end(c);
  }
  if (handlers_.opened) handlers_.opened(c.id, peer.text);
  flush_frames(c);
  take_frames(c, rest);
  watch_health(c);
}

ServerConnection* ServerImpl::find(ServerConnectionId id) {
  const auto found = connections_.find(id.value);
  return found == connections_.end() || found->second->over ? nullptr : found->second.get();
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
    if (ServerConnection* c = self.find(id)) self.begin_close(*c, kCloseNormal, {});
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
