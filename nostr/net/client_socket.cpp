#include "nostr/net/client_socket.h"

#include "nostr/base/log.h"

namespace ipnscast::nostr::net {
namespace {

bool alive(const Loop::Impl& loop, uint64_t id) { return loop.clients.count(id) != 0; }

constexpr int kCloseTooBig = 1009;  // RFC 6455 section 7.4.1

CloseReason classify(std::string_view why, int http_status) {
  if (http_status >= 300) return CloseReason::http_status;
  const auto has = [&](const char* word) { return why.find(word) != std::string_view::npos; };
  if (has("imeout") || has("imed out")) return CloseReason::timeout;
  if (has("tls") || has("TLS") || has("SSL") || has("ssl") || has("cert")) return CloseReason::tls;
  return CloseReason::remote;
}

}  // namespace

ClientSocket::ClientSocket(Loop::Impl& loop, RelayUrl url, ClientOptions options,
                           ClientHandlers handlers)
    : loop_(loop),
      id_(loop.next_id++),
      url_(std::move(url)),
      options_(std::move(options)),
      handlers_(std::make_shared<ClientHandlers>(std::move(handlers))) {
  loop_.clients[id_] = this;
  later(std::chrono::steady_clock::now() + options_.connect_timeout,
        &ClientSocket::connect_timed_out);
  dialer_ = std::make_unique<Dialer>(loop_, url_.host(), url_.port(), options_.access.proxy,
                                     [this](auto socket) { dialed(std::move(socket)); });
}

ClientSocket::~ClientSocket() {
  loop_.clients.erase(id_);
  drop_wsi();
}

void ClientSocket::later(Instant when, void (ClientSocket::*task)()) {
  loop_.at(when, [loop = &loop_, id = id_, task] {
    const auto found = loop->clients.find(id);
    if (found != loop->clients.end()) (found->second->*task)();
  });
}

void ClientSocket::connect_timed_out() {
  if (stage_ == Stage::dialing) return finish(dialer_->timed_out());
  if (stage_ == Stage::upgrading) {
    finish({CloseReason::timeout, 0,
            url_.host() + ": connected, but no answer to " +
                (url_.tls() ? "TLS or the WebSocket request" : "the WebSocket request") +
                ": is it a relay?"});
  }
}

void ClientSocket::dialed(tl::expected<UniqueFd, Closed> socket) {
  dialer_.reset();
  if (!socket) return finish(std::move(socket.error()));
  stage_ = Stage::upgrading;
  connected_ = std::move(*socket);
  upgrade();
}

void ClientSocket::upgrade() {
  lws_vhost* vhost = loop_.client_vhost(options_.access.ca_file);
  if (vhost == nullptr) {
    return finish(
        {CloseReason::local, 0, "cannot use the CA file " + options_.access.ca_file, true});
  }
  const bool default_port = url_.port() == (url_.tls() ? 443 : 80);
  const std::string bare_host =
      url_.host().find(':') == std::string::npos ? url_.host() : "[" + url_.host() + "]";
  const std::string host = default_port ? bare_host : bare_host + ":" + std::to_string(url_.port());
  loop_.door.sweep();
  lws_client_connect_info info{};
  info.context = loop_.context;
  info.vhost = vhost;
  info.address = loop_.door.address().c_str();
  info.port = url_.port();
  info.path = url_.path().c_str();
  info.host = host.c_str();
  info.origin = nullptr;
  info.alpn = "http/1.1";
  info.local_protocol_name = "ipnscast-client";
  info.ssl_connection = url_.tls() ? LCCSCF_USE_SSL : 0;
  info.opaque_user_data = this;
  info.pwsi = &wsi_;
  const uint64_t id = id_;
  Loop::Impl& loop = loop_;
  // lws may report the failure through connection_error() before it returns, which may destroy us.
  if (lws_client_connect_via_info(&info) == nullptr && alive(loop, id) && wsi_ == nullptr &&
      stage_ == Stage::upgrading) {
    connection_error("cannot connect", 0);
  }
}

void ClientSocket::created(lws* wsi) {
  if (!connected_) return;
  // Should this fail, the next write does: the door answers nothing.
  loop_.door.pass(std::move(connected_), lws_get_socket_fd(wsi));
}

void ClientSocket::connection_error(std::string_view why, int http_status) {
  wsi_ = nullptr;
  if (stage_ != Stage::upgrading) return;
  std::string text(why);
  if (http_status >= 300) text = "HTTP " + std::to_string(http_status);
  finish({classify(why, http_status), http_status, std::move(text)});
}

int ClientSocket::established() {
  stage_ = Stage::open;
  schedule_ping();
  if (const auto handlers = handlers_; handlers->opened) handlers->opened();
  return 0;
}

int ClientSocket::received(std::string_view part, bool last) {
  heard_since_ping_ = true;
  if (partial_.size() + part.size() > options_.max_frame_bytes) {
    finish({CloseReason::too_large, kCloseTooBig,
            "a frame above " + std::to_string(options_.max_frame_bytes) + " bytes"});
    return 0;
  }
  partial_.append(part);
  if (!last) return 0;
  std::string frame;
  frame.swap(partial_);
  if (const auto handlers = handlers_; handlers->frame) handlers->frame(std::move(frame));
  return 0;
}

int ClientSocket::pong() {
  heard_since_ping_ = true;
  return 0;
}

void ClientSocket::schedule_ping() {
  later(std::chrono::steady_clock::now() + options_.ping_interval, &ClientSocket::ping_due);
}

void ClientSocket::ping_due() {
  if (stage_ != Stage::open) return;
  unanswered_pings_ = heard_since_ping_ ? 0 : unanswered_pings_;
  if (unanswered_pings_ >= 2) return finish({CloseReason::dead, 0, "two pings without an answer"});
  heard_since_ping_ = false;
  ++unanswered_pings_;
  ping_wanted_ = true;
  lws_callback_on_writable(wsi_);
  schedule_ping();
}

void ClientSocket::send(std::string frame) {
  if (stage_ == Stage::over) return;
  unsent_bytes_ += frame.size();
  std::string padded(LWS_PRE, '\0');
  padded += frame;
  unsent_.push_back(std::move(padded));
  if (stage_ == Stage::open) lws_callback_on_writable(wsi_);
}

int ClientSocket::writable() {
  if (ping_wanted_) {
    ping_wanted_ = false;
    std::array<unsigned char, LWS_PRE> empty{};
    if (lws_write(wsi_, empty.data() + LWS_PRE, 0, LWS_WRITE_PING) < 0) return -1;
    if (!unsent_.empty()) lws_callback_on_writable(wsi_);
    return 0;
  }
  if (unsent_.empty()) return 0;
  std::string frame = std::move(unsent_.front());
  unsent_.pop_front();
  const size_t size = frame.size() - LWS_PRE;
  unsent_bytes_ -= size;
  auto* data = reinterpret_cast<unsigned char*>(frame.data()) + LWS_PRE;
  if (lws_write(wsi_, data, size, LWS_WRITE_TEXT) < static_cast<int>(size)) return -1;
  if (!unsent_.empty()) lws_callback_on_writable(wsi_);
  return 0;
}

void ClientSocket::pause_reading() {
  if (stage_ == Stage::open) lws_rx_flow_control(wsi_, 0);
}

void ClientSocket::resume_reading() {
  if (stage_ == Stage::open) lws_rx_flow_control(wsi_, 1);
}

void ClientSocket::closed() {
  wsi_ = nullptr;
  finish({CloseReason::remote, close_code_,
          close_code_ == 0 ? "connection lost" : "closed by the relay"});
}

void ClientSocket::drop_wsi() {
  if (wsi_ == nullptr) return;
  lws_set_opaque_user_data(wsi_, nullptr);
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
  wsi_ = nullptr;
}

void ClientSocket::finish(Closed closed) {
  if (stage_ == Stage::over) return;
  stage_ = Stage::over;
  dialer_.reset();
  drop_wsi();
  if (const auto handlers = handlers_; handlers->closed) handlers->closed(std::move(closed));
}

}  // namespace ipnscast::nostr::net
