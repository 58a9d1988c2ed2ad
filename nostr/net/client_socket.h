#pragma once

// Private to nostr/net.
#include "nostr/net/dialer.h"
#include "nostr/net/lws_loop.h"
#include "nostr/net/websocket_client.h"

namespace ipnscast::nostr::net {

// One outgoing WebSocket connection: the dialer brings a connected socket, lws does TLS, the
// upgrade and frames on it. Net thread only.
class ClientSocket final : public WebSocketClient {
 public:
  ClientSocket(Loop::Impl& loop, RelayUrl url, ClientOptions options, ClientHandlers handlers);
  ~ClientSocket() override;

  void send(std::string frame) override;
  size_t unsent_bytes() const override { return unsent_bytes_; }
  void pause_reading() override;
  void resume_reading() override;

  // What lws reports. Each may end with this object destroyed by a handler; the result is lws's
  // return value.
  void created(lws* wsi);  // lws has a socket of its own, and nothing was written yet
  int established();
  int received(std::string_view part, bool last);
  int pong();
  int writable();
  void connection_error(std::string_view why, int http_status);
  void peer_closing(int code) { close_code_ = code; }
  void closed();

 private:
  enum class Stage { dialing, upgrading, open, over };

  void dialed(tl::expected<UniqueFd, Closed> socket);
  void upgrade();
  void schedule_ping();
  void ping_due();
  void drop_wsi();
  void finish(Closed closed);
  void connect_timed_out();
  // Runs `task` on the loop unless this socket is gone by then.
  void later(Instant when, void (ClientSocket::*task)());

  // constant after construction
  Loop::Impl& loop_;
  const uint64_t id_;
  const RelayUrl url_;
  const ClientOptions options_;
  const std::shared_ptr<ClientHandlers>
      handlers_;  // shared: a handler may destroy us while it runs

  Stage stage_ = Stage::dialing;
  std::unique_ptr<Dialer> dialer_;
  UniqueFd connected_;  // until lws takes it
  lws* wsi_ = nullptr;
  std::deque<std::string> unsent_;  // each with LWS_PRE bytes in front
  size_t unsent_bytes_ = 0;
  std::string partial_;
  int unanswered_pings_ = 0;
  bool heard_since_ping_ = false;
  bool ping_wanted_ = false;
  int close_code_ = 0;
};

}  // namespace ipnscast::nostr::net
