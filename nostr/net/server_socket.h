#pragma once

// Private to nostr/net.
#include <condition_variable>

#include "nostr/net/lws_loop.h"
#include "nostr/net/message_reader.h"
#include "nostr/net/websocket_server.h"

namespace ipnscast::nostr::net {

class ServerImpl;

// What is on its way to one HTTP client. Shared between the net thread, which writes it out, and
// the thread that answers, which fills it.
struct HttpOutput {
  struct Head {
    int status = 200;
    std::map<std::string, std::string> headers;
    std::optional<uint64_t> content_length;  // none: chunked
  };

  std::mutex mutex;
  std::condition_variable room;
  // guarded by mutex
  std::optional<Head> head;
  std::deque<Bytes> chunks;
  size_t front_sent = 0;  // bytes of the first chunk that are out
  size_t unsent_bytes = 0;
  bool finished = false;
  bool aborted = false;
  bool gone = false;  // the client left
};

// One accepted connection; HTTP first, WebSocket after an upgrade. Net thread only.
struct ServerConnection {
  ServerConnectionId id;
  ServerImpl* server = nullptr;
  lws* wsi = nullptr;
  std::string peer;
  std::string address;  // its IP address, as per_address_ counts it

  // WebSocket
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

  // HTTP: the request that is being read or answered
  HttpRequest request;
  bool body_too_large = false;
  bool dispatched = false;
  std::shared_ptr<HttpOutput> output;
  bool head_written = false;
  bool head_only = false;
  bool chunked = false;
  bool knows_chunks = true;  // false for HTTP/1.0
  bool until_close = false;  // so that a stream ends with the connection
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
  int accept_waiting();

  ServerConnection* find(ServerConnectionId id);

  // Any thread: runs the task on the net thread, unless the server is gone by then.
  void post(std::function<void(ServerImpl&)> task);

 private:
  lws_vhost* open_tls_vhost();
  bool has_room_for(const std::string& address) const;
  void add_connection(lws* wsi, std::string address);
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

  // in http_exchange.cpp
  int http_request(ServerConnection& c, std::string_view path);
  int http_body(ServerConnection& c, std::string_view part);
  int dispatch(ServerConnection& c);
  int http_writable(ServerConnection& c);
  int write_head(ServerConnection& c, HttpOutput::Head head);
  int write_body(ServerConnection& c, Bytes chunk, bool last);
  int transaction_over(ServerConnection& c);
  static void release_output(ServerConnection& c);

  // constant after construction
  Loop& loop_;
  const ServerOptions options_;
  const ServerHandlers handlers_;
  uint16_t port_ = 0;

  // The pointee is read and written on the net thread only; null once the server is gone.
  const std::shared_ptr<ServerImpl*> self_ = std::make_shared<ServerImpl*>(this);

  // net thread only
  lws_vhost* vhost_ = nullptr;      // where connections begin: the TLS one, or the loop's
  lws_vhost* tls_vhost_ = nullptr;  // our own
  lws* listener_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<ServerConnection>> connections_;
  std::map<std::string, size_t> per_address_;  // connections, by IP address
  size_t unsent_total_ = 0;                    // bytes, of all connections
};

}  // namespace ipnscast::nostr::net
