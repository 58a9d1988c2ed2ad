#pragma once

// Private to nostr/net.
#include <span>

#include "ipnscast/nostr/net/http/held_bytes.h"
#include "ipnscast/nostr/net/http/host_check.h"
#include "ipnscast/nostr/net/http_connection.h"
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/frame_reader.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/nostr/net/tls_door.h"
#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::nostr::net {

class ServerImpl;

// One WebSocket of a client. libwebsockets has no part in it: 4.1.6 and 4.3 take unmasked frames,
// and hang up at others without a close frame. Net thread only.
struct ServerConnection {
  ServerConnection(ServerConnectionId number, UniqueFd socket, PeerAddress address,
                   size_t max_frame_bytes)
      : id(number), peer(std::move(address)), fd(std::move(socket)), reader(max_frame_bytes) {}

  const ServerConnectionId id;
  const PeerAddress peer;
  UniqueFd fd;
  uint32_t watched = 0;  // epoll events

  FrameReader reader;
  bool paused = false;  // nothing is read
  std::string held;     // what was read before that and no handler has seen
  Instant heard;        // the last bytes came

  bool compress = true;  // what it takes compressed
  std::string out;       // frames as they go over the wire
  size_t out_sent = 0;
  uint64_t taken_bytes = 0;
  std::optional<std::string> pong;  // to be sent: the payload of its last ping
  bool ping_wanted = false;
  struct Unsent {
    std::shared_ptr<const std::string> frame;
    Instant since;
  };
  std::deque<Unsent> unsent;
  size_t unsent_bytes = 0;
  std::optional<size_t> drain_to;  // when_drained() waits

  bool closing = false;   // a close frame goes behind what is queued, and nothing else
  bool too_slow = false;  // is why
  int close_code = kCloseNormal;
  std::string close_reason;
  bool close_sent = false;
  bool deaf = false;  // what comes is dropped: the client has said the last or broke the protocol
  bool told = false;  // the handlers know that it is closed
  bool over = false;  // the socket is closed; it is about to be erased
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

  // Null when it has ended.
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
  // in server_frames.cpp
  void frames_ready(uint64_t id, uint32_t events);
  void receive_frames(ServerConnection& c);
  void take_frames(ServerConnection& c, std::span<char> input);
  void set_paused(ServerConnection& c, bool paused);
  void flush_frames(ServerConnection& c);
  bool compose_frames(ServerConnection& c);
  void append_frame(ServerConnection& c, const std::string& text);
  void watch_what_is_wanted(ServerConnection& c);
  void begin_close(ServerConnection& c, int code, std::string reason);
  void end_after(ServerConnection& c, Milliseconds wait);
  void end_when_stuck(ServerConnection& c);
  void watch_health(ServerConnection& c);
  void go_away(ServerConnection& c);
  void tell_closed(ServerConnection& c);
  void end(ServerConnection& c);
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
