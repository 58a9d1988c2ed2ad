#include "ipnscast/nostr/net/client_socket.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/net/http/http_refusal.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/close_words.h"

namespace ipnscast::nostr::net {
namespace {

constexpr int kFarewellSeconds = 2;  // for a relay that takes nothing any more

bool alive(const Loop::Impl& loop, uint64_t id) { return loop.clients.count(id) != 0; }

// Whether the other end of this connection has not closed it.
bool is_there(lws* wsi) {
  const SSL* const tls = lws_get_ssl(wsi);
  if (tls != nullptr && SSL_get_shutdown(tls) != 0) return false;
  char byte = 0;
  const ssize_t got = ::recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

}  // namespace

ClientSocket::ClientSocket(Loop::Impl& loop, RelayUrl url, ClientOptions options,
                           ClientHandlers handlers)
    : loop_(loop),
      id_(loop.next_id++),
      url_(std::move(url)),
      options_(std::move(options)),
      handlers_(std::make_shared<ClientHandlers>(std::move(handlers))),
      reader_(options_.max_frame_bytes) {
  loop_.clients[id_] = this;
  later(std::chrono::steady_clock::now() + options_.connect_timeout,
        &ClientSocket::connect_timed_out);
  dialer_ = std::make_unique<Dialer>(loop_, url_, options_.access.proxy,
                                     [this](auto socket) { dialed(std::move(socket)); });
}

ClientSocket::~ClientSocket() {
  loop_.clients.erase(id_);
  drop_wsi(kCloseNormal);
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
  const auto vhost = loop_.client_vhost(options_.access.ca_file);
  if (!vhost) return finish({CloseReason::local, 0, vhost.error().message, true, {}});
  const bool default_port = url_.port() == (url_.tls() ? 443 : 80);
  const std::string bare_host =
      url_.host().find(':') == std::string::npos ? url_.host() : "[" + url_.host() + "]";
  const std::string host = default_port ? bare_host : bare_host + ":" + std::to_string(url_.port());
  loop_.door.sweep();
  lws_client_connect_info info{};
  info.context = loop_.context;
  info.vhost = *vhost;
  info.address = loop_.door.address().c_str();
  info.port = url_.port();
  info.path = url_.path().c_str();
  info.host = host.c_str();
  info.origin = nullptr;
  info.alpn = "http/1.1";
  info.local_protocol_name = "ipnscast-client";
  // A relay that answers with a redirect must not choose whom we connect to: lws would follow it on
  // its own, past the dialer and its check of the address.
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url_.tls() ? LCCSCF_USE_SSL : 0);
  info.opaque_user_data = this;
  info.pwsi = &wsi_;
  const uint64_t id = id_;
  Loop::Impl& loop = loop_;
  // lws may report the failure through connection_error() before it returns, which may destroy us.
  if (lws_client_connect_via_info(&info) == nullptr && alive(loop, id) &&
      stage_ == Stage::upgrading) {
    connection_error("cannot connect", 0, {});
  }
}

void ClientSocket::created(lws* wsi) {
  if (!connected_) return;
  wsi_ = wsi;  // the TLS handshake begins before lws_client_connect_via_info() has told us
  // Should this fail, the next write does: the door answers nothing.
  loop_.door.pass(std::move(connected_), lws_get_socket_fd(wsi));
}

void ClientSocket::tls_failed(std::string problem) {
  if (tls_problem_.empty()) tls_problem_ = std::move(problem);
}

void ClientSocket::connection_error(std::string_view why, int http_status, Milliseconds wait) {
  wsi_ = nullptr;
  if (stage_ != Stage::upgrading) return;
  finish(upgrade_failure(why, http_status, wait));
}

// `why` is lws's, which tells little; what the handshake told us goes first.
Closed ClientSocket::upgrade_failure(std::string_view why, int http_status,
                                     Milliseconds wait) const {
  const std::string& host = url_.host();
  const auto has = [&](const char* word) { return why.find(word) != std::string_view::npos; };
  if (http_status != 0 && http_status != 101) return http_refusal(host, http_status, wait);
  if (!tls_problem_.empty()) return {CloseReason::tls, 0, host + ": " + tls_problem_, true, {}};
  if (url_.tls() && !tls_done_) {
    return {CloseReason::tls,
            0,
            host + ": the TLS handshake failed: does it speak TLS 1.2 or later on port " +
                std::to_string(url_.port()) + "?",
            false,
            {}};
  }
  if (has("HS:")) {
    return {CloseReason::protocol,
            0,
            host + ": it answers, but not as a WebSocket (" + std::string(why) + ")",
            true,
            {}};
  }
  const bool late = has("imeout") || has("imed out");
  return {late ? CloseReason::timeout : CloseReason::remote,
          0,
          host + (late ? ": no answer to our request" : ": it hung up before it accepted us"),
          false,
          {}};
}

void ClientSocket::accepted(std::string_view date) {
  if (options_.witness && url_.named_by() == NamedBy::configuration)
    options_.witness->note_date(url_.text(), date, system_now());
}

int ClientSocket::established() {
  stage_ = Stage::open;
  upgraded_ = true;
  schedule_ping();
  if (const auto handlers = handlers_; handlers->opened) handlers->opened();
  return 0;
}

bool ClientSocket::agree_on_deflate() {
  if (!options_.access.deflate || reader_.deflate()) return false;
  reader_.agree_on_deflate();
  return true;
}

int ClientSocket::received(const MessageReader::Part& part) {
  heard_since_ping_ = true;
  probing_ = false;
  auto frame = reader_.add(part);
  if (!frame) {
    const bool big = frame.error().code == Errc::too_large;
    finish({big ? CloseReason::too_large : CloseReason::protocol,
            close_code(frame.error().code),
            url_.host() + ": a frame: " + frame.error().message,
            false,
            {}});
    return 0;
  }
  if (!*frame) return 0;
  if (const auto handlers = handlers_; handlers->frame) handlers->frame(std::move(**frame));
  return 0;
}

int ClientSocket::pong() {
  heard_since_ping_ = true;
  probing_ = false;
  return 0;
}

void ClientSocket::schedule_ping() {
  // Jitter, so that connections which began together do not ping together for ever.
  std::uniform_int_distribution<int64_t> wait(options_.ping_interval.count() * 3 / 4,
                                              options_.ping_interval.count());
  later(std::chrono::steady_clock::now() + Milliseconds(wait(loop_.rng)), &ClientSocket::ping_due);
}

void ClientSocket::ping_due() {
  if (stage_ != Stage::open) return;
  unanswered_pings_ = heard_since_ping_ ? 0 : unanswered_pings_;
  if (unanswered_pings_ >= 2)
    return finish({CloseReason::dead, 0, url_.host() + ": two pings without an answer"});
  heard_since_ping_ = false;
  ++unanswered_pings_;
  ping_wanted_ = true;
  lws_callback_on_writable(wsi_);
  schedule_ping();
}

void ClientSocket::probe() {
  if (stage_ != Stage::open) return;
  probing_ = ping_wanted_ = true;
  lws_callback_on_writable(wsi_);
  later(std::chrono::steady_clock::now() + options_.probe_deadline, &ClientSocket::probe_due);
}

void ClientSocket::probe_due() {
  if (stage_ != Stage::open || !probing_) return;
  finish({CloseReason::dead, 0, url_.host() + ": no answer since this machine slept", false, {}});
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

void ClientSocket::peer_closing(std::string_view payload) {
  close_code_ = kCloseNoCode;
  if (payload.empty()) return;
  if (payload.size() == 1) {
    answer_code_ = close_code_ = kCloseProtocol;
  } else {
    close_code_ =
        static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
    close_reason_ = payload.substr(2);
    if (!valid_utf8(close_reason_)) answer_code_ = kCloseBadData;
  }
  // lws has yet to write down its answer, which repeats what the relay said.
  if (answer_code_ != 0) later(std::chrono::steady_clock::now(), &ClientSocket::answer_bad_close);
}

void ClientSocket::answer_bad_close() {
  if (wsi_ != nullptr)
    lws_close_reason(wsi_, static_cast<lws_close_status>(answer_code_), nullptr, 0);
}

// lws hangs up at frames that are against the protocol, and would do so without a word. What it
// closes because the relay did, or after the relay's close frame, is for closed().
void ClientSocket::closing() {
  if (stage_ != Stage::open || close_code_ != 0 || !is_there(wsi_)) return;
  finish({CloseReason::protocol,
          kCloseProtocol,
          url_.host() + ": a frame: it is not as the WebSocket protocol wants it",
          false,
          {}});
}

void ClientSocket::closed() {
  wsi_ = nullptr;
  finish({CloseReason::remote, close_code_, close_words(close_code_, close_reason_), false, {}});
}

void ClientSocket::destroyed() {
  if (stage_ == Stage::upgrading) return connection_error("", 0, {});
  closed();
}

// lws writes the close frame when on_client_event() ends what nobody owns any more, and waits some
// seconds for the relay's.
void ClientSocket::drop_wsi(int code) {
  if (wsi_ == nullptr) return;
  lws_set_opaque_user_data(wsi_, nullptr);
  if (upgraded_) {
    lws_close_reason(wsi_, static_cast<lws_close_status>(code), nullptr, 0);
    lws_rx_flow_control(wsi_, 1);  // for the relay's half of the closing handshake
    lws_callback_on_writable(wsi_);
  }
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE,
                  upgraded_ ? kFarewellSeconds : LWS_TO_KILL_ASYNC);
  wsi_ = nullptr;
}

void ClientSocket::finish(Closed closed) {
  if (stage_ == Stage::over) return;
  stage_ = Stage::over;
  dialer_.reset();
  drop_wsi(closed.code >= kCloseNormal ? closed.code : kCloseNormal);
  if (const auto handlers = handlers_; handlers->closed) handlers->closed(std::move(closed));
}

}  // namespace ipnscast::nostr::net
