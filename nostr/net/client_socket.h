#pragma once

// Private to nostr/net.
#include "ipnscast/nostr/net/dialer.h"
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/message/message_reader.h"
#include "ipnscast/nostr/net/stream/tls_client.h"
#include "ipnscast/nostr/net/websocket_client.h"

namespace ipnscast::nostr::net {

// One outgoing WebSocket connection: the dialer brings a connected socket, lws does TLS, the
// upgrade and frames on it. Net thread only.
class ClientSocket final : public WebSocketClient, public TlsPeerCheck {
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
  // The relay's answer to our request is good, and has this date.
  void accepted(std::string_view date);
  int established();
  int received(const MessageReader::Part& part);
  // True when compressed messages were offered and not agreed on yet.
  bool agree_on_deflate();
  bool offers_deflate() const { return options_.access.deflate; }
  int pong();
  int writable();
  void connection_error(std::string_view why, int http_status, Milliseconds retry_after);
  // The machine slept: asks the relay for an answer at once.
  void probe();
  // The relay's close frame; `payload` is what it carries.
  void peer_closing(std::string_view payload);
  // lws is about to close the connection.
  void closing();
  void closed();
  void destroyed();  // without any of the above

  const std::string& tls_host() const override { return url_.host(); }
  const std::vector<KeyPin>& tls_pins() const override { return options_.access.pins.of(url_); }
  void tls_failed(std::string problem) override;
  void tls_done() override { tls_done_ = true; }
  lws* wsi() const { return wsi_; }

 private:
  enum class Stage { dialing, upgrading, open, over };

  void dialed(tl::expected<UniqueFd, Closed> socket);
  void upgrade();
  Closed upgrade_failure(std::string_view why, int http_status, Milliseconds retry_after) const;
  void schedule_ping();
  void ping_due();
  void probe_due();
  void answer_bad_close();
  // Lets go of lws's socket. An open one is closed with this code.
  void drop_wsi(int code);
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
  std::string tls_problem_;
  bool tls_done_ = false;
  lws* wsi_ = nullptr;
  std::deque<std::string> unsent_;  // each with LWS_PRE bytes in front
  size_t unsent_bytes_ = 0;
  MessageReader reader_;
  int unanswered_pings_ = 0;
  bool heard_since_ping_ = false;
  bool ping_wanted_ = false;
  bool probing_ = false;  // until anything is heard
  bool upgraded_ = false;
  int close_code_ = 0;  // of the relay's close frame
  std::string close_reason_;
  int answer_code_ = 0;  // to a close frame that is not as it should be
};

}  // namespace ipnscast::nostr::net
