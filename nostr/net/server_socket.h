#pragma once

// Private to nostr/net.
#include "ipnscast/nostr/net/http/held_bytes.h"
#include "ipnscast/nostr/net/http/host_check.h"
#include "ipnscast/nostr/net/http_connection.h"
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/message/message_reader.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/nostr/net/tls_door.h"
#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::nostr::net {

class ServerImpl;

// One WebSocket, from the moment its socket is handed to libwebsockets. Net thread only.
struct ServerConnection {
  ServerConnectionId id;
  ServerImpl* server = nullptr;
  lws* wsi = nullptr;  // null until lws has told it
  int fd = -1;
  PeerAddress peer;

  bool upgraded = false;
  bool closing = false;
  std::unique_ptr<MessageReader> reader;
  bool compress = true;             // what it takes compressed
  bool writing_compressed = false;  // the frame that is being written now
  struct Unsent {
    std::shared_ptr<const std::string> frame;
    Instant since;
  };
  std::deque<Unsent> unsent;
  size_t unsent_bytes = 0;
  uint64_t written_frames = 0;
  std::optional<size_t> drain_to;  // when_drained() waits
  bool too_slow = false;           // is why it is closing
};

class ServerImpl final : public WebSocketServer {
 public:
  ServerImpl(Loop& loop, ServerOptions options, ServerHandlers handlers);
  ~ServerImpl() override;

  // Net thread. Errc::io.
  Status open();

  uint16_t port() const override { return port_; }
  void send(ServerConnectionId id, std::shared_ptr<const std::string> frame) override;
  void close(ServerConnectionId id) override;
  void when_drained(ServerConnectionId id, size_t bytes) override;
  void pause_reading(ServerConnectionId id) override;
  void resume_reading(ServerConnectionId id) override;

  // Net thread only: events from lws; the result is lws's return value.
  int on_event(ServerConnection& c, lws_callback_reasons reason, void* in, size_t size);

  // Net thread only, for HttpConnection.
  const ServerOptions& options() const { return options_; }
  bool answers_for(std::string_view host) const {
    return !options_.check_host || !NameLookup::is_loopback(options_.address) ||
           is_our_host(host, options_.host_names);
  }
  FdWatch& watch() { return loop_.impl().watch; }
  bool takes_websockets() const { return handlers_.frame || handlers_.opened || !handlers_.http; }
  std::shared_ptr<HeldBytes::Share> body_share(const std::string& group) const;
  // Has the handler answer the request.
  void answer(uint64_t id, HttpRequest request, const std::shared_ptr<HttpOutput>& output);
  void http_ready(uint64_t id, uint32_t events);
  void http_woken(uint64_t id);
  // Looks at the connection's answer again, a little later.
  void wake(uint64_t id);
  // The client of this accepted socket will see its close as a failure and not as an end.
  void reset_on_close(int fd);

  ServerConnection* find(ServerConnectionId id);

  // Any thread: runs the task on the net thread, unless the server is gone by then.
  void post(std::function<void(ServerImpl&)> task);

 private:
  // in server_door.cpp
  Status open_listener();
  void accept_waiting();
  void rest_from_accepting();
  bool accept_one(UniqueFd socket, PeerAddress peer);
  bool has_places_left(const std::string& group) const;
  bool has_room_for(const std::string& group) const;
  bool make_place_for(const std::string& group);
  bool end_idlest(const std::string* of_group);
  void cut_slow_readers();
  void http_over(uint64_t id);
  void settle(uint64_t id);
  void sweep();
  void forget_address(const std::string& group);

  void become_websocket(uint64_t id, HttpConnection& http);
  int accept_upgrade(ServerConnection& c);
  int received(ServerConnection& c, const MessageReader::Part& part);
  int frame_writable(ServerConnection& c);
  // in server_flow.cpp
  void enqueue(ServerConnection& c, std::shared_ptr<const std::string> frame);
  void push_unsent(ServerConnection& c, std::shared_ptr<const std::string> frame);
  std::shared_ptr<const std::string> pop_unsent(ServerConnection& c);
  void drop_unsent(ServerConnection& c);
  void make_room(size_t bytes);
  ServerConnection* slowest();
  void tell_if_drained(ServerConnection& c);
  void watch_stall(const ServerConnection& c);
  void close_too_slow(ServerConnection& c);
  void forget(ServerConnection& c);

  // constant after construction
  Loop& loop_;
  const ServerOptions options_;
  const ServerHandlers handlers_;
  uint16_t port_ = 0;

  // The pointee is read and written on the net thread only; null once the server is gone.
  const std::shared_ptr<ServerImpl*> self_ = std::make_shared<ServerImpl*>(this);

  const std::shared_ptr<HeldBytes> held_bodies_;
  TlsDoor tls_;

  // net thread only
  UniqueFd listener_;
  bool resting_ = false;  // from accepting: the process has no descriptors left
  bool sweeping_ = false;
  std::unordered_map<uint64_t, std::unique_ptr<HttpConnection>> http_;
  std::unordered_map<uint64_t, std::unique_ptr<ServerConnection>> connections_;
  struct OfAddress {
    size_t all = 0;
    size_t http = 0;
  };
  std::map<std::string, OfAddress> per_address_;  // connections, by PeerAddress::group
  size_t unsent_total_ = 0;                       // bytes, of all connections
};

}  // namespace ipnscast::nostr::net
