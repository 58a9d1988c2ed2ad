#include "ipnscast/nostr/net/http_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "ipnscast/nostr/base/http_date.h"
#include "ipnscast/nostr/net/http/http_status.h"
#include "ipnscast/nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kWriteBytes = 64 * 1024;
constexpr size_t kTurnBytes = 1024 * 1024;  // then others have their turn

constexpr Seconds kHeadTime{10};       // for a whole head from its first byte, and for that one
constexpr Seconds kKeepAliveTime{60};  // between an answer and the next request
constexpr Seconds kBodyPause{20};      // without a byte of the body
constexpr Seconds kBodyTime{30};       // and in all: this, and time for so many bytes a second
constexpr size_t kBodyRate = 4096;
constexpr Seconds kReaderPause{60};  // of a client that takes nothing of its answer
constexpr Seconds kLingerTime{2};
constexpr Seconds kStuckReader{5};  // after it a client gives way when there is no room
constexpr Seconds kStuckSender{1};

std::string hex_size(size_t size) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), size, 16);
  return {text.data(), end.ptr};
}

}  // namespace

HttpConnection::HttpConnection(ServerImpl& server, uint64_t id, UniqueFd fd, PeerAddress peer)
    : server_(server),
      id_(id),
      peer_(std::move(peer)),
      fd_(std::move(fd)),
      since_(std::chrono::steady_clock::now()),
      progress_(since_) {}

HttpConnection::~HttpConnection() {
  release_output();
  if (!fd_) return;
  if (ends_with_connection_) server_.reset_on_close(fd_.get());
  server_.watch().forget(fd_.get());
}

bool HttpConnection::watch() {
  watched_ = EPOLLIN;
  return server_.watch().watch(fd_.get(), watched_, [&server = server_, id = id_](uint32_t events) {
    server.http_ready(id, events);
  });
}

void HttpConnection::ready(uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    state_ = State::over;
    return;
  }
  if ((events & EPOLLIN) != 0) receive();
  run();
}

void HttpConnection::woken() {
  if (state_ == State::answering) run();
}

void HttpConnection::run() {
  while (state_ != State::over) {
    read_requests();
    if (state_ != State::answering) break;
    write_answer();
    if (state_ == State::answering || state_ == State::lingering) break;
  }
  if (state_ == State::body) flush();
  if (state_ != State::over) watch_what_is_wanted();
}

void HttpConnection::watch_what_is_wanted() {
  uint32_t wanted = 0;
  const bool reads = state_ == State::head || state_ == State::body || state_ == State::lingering;
  if (reads && !peer_ended_) wanted |= EPOLLIN;
  if (out_sent_ < out_.size()) wanted |= EPOLLOUT;
  if (wanted != std::exchange(watched_, wanted)) server_.watch().change(fd_.get(), wanted);
}

// ---- reading ----

void HttpConnection::receive() {
  if (state_ != State::head && state_ != State::body && state_ != State::lingering) return;
  std::array<char, kReadBytes> buffer;
  const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) state_ = State::over;
    return;
  }
  if (got == 0) {
    peer_ended_ = true;
    if (state_ == State::lingering) state_ = State::over;
    return;
  }
  if (state_ == State::lingering) return;
  progress_ = std::chrono::steady_clock::now();
  in_.append(buffer.data(), static_cast<size_t>(got));
}

// Goes on until more bytes are needed or a request waits for its answer.
void HttpConnection::read_requests() {
  while ((state_ == State::head && take_head()) || (state_ == State::body && take_body())) {
  }
  const bool wants_more = state_ == State::head || state_ == State::body;
  if (wants_more && peer_ended_) state_ = State::over;
}

bool HttpConnection::take_head() {
  if (in_.starts_with('\r') || in_.starts_with('\n')) {  // RFC 9112 section 2.2
    in_.erase(0, in_.find_first_not_of("\r\n"));
    searched_ = 0;
  }
  if (!in_.empty() && !std::exchange(head_begun_, true)) since_ = std::chrono::steady_clock::now();
  const auto end = request_head_end(in_, searched_);
  searched_ = in_.size();
  if (end.value_or(in_.size()) > kMaxRequestHead) {
    refuse(431, "the request's head is too long");
    return false;
  }
  if (!end) return false;
  auto head = parse_request_head(std::string_view(in_).substr(0, *end));
  in_.erase(0, *end);
  searched_ = 0;
  head_begun_ = false;
  if (!head) {
    refuse(head.error().status, head.error().why);
    return false;
  }
  const auto host = head->headers.find("host");
  if (host != head->headers.end() && !server_.answers_for(host->second)) {
    refuse(403, "this port answers to programs on this machine, and not for the host " +
                    host->second + ": use its address or localhost");
    return false;
  }
  keep_alive_ = head->keep_alive;
  http_1_1_ = head->http_1_1;
  head_only_ = head->method == "HEAD";
  if (server_.takes_websockets()) {
    auto wish = websocket_wish(*head);
    if (!wish) {
      refuse(wish.error().status, wish.error().why);
      return false;
    }
    if (*wish) {
      wish_ = std::move(**wish);
      state_ = State::upgrading;
      return false;
    }
  }
  request_ = {};
  request_.method = std::move(head->method);
  request_.path = std::move(head->path);
  request_.query = std::move(head->query);
  request_.headers = std::move(head->headers);
  request_.peer = peer_.text;
  if (!head->chunked && head->content_length == 0) {
    dispatch();
    return false;
  }
  expect_body(*head);
  return state_ == State::body;
}

void HttpConnection::expect_body(const RequestHead& head) {
  if (head.content_length > server_.options().max_body_bytes ||
      (head.chunked && server_.options().max_body_bytes == 0)) {
    refuse(413, "the body is too long: at most " +
                    std::to_string(server_.options().max_body_bytes) + " bytes are taken here");
    return;
  }
  content_length_ = head.content_length;
  chunked_body_.reset();
  if (head.chunked) chunked_body_.emplace();
  share_ = server_.body_share(peer_.group);
  state_ = State::body;
  since_ = progress_ = std::chrono::steady_clock::now();
  if (head.expects_continue && in_.empty()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
}

// True when the request was dispatched or refused, and false when more has to come.
bool HttpConnection::take_body() {
  const bool whole = chunked_body_ ? take_chunked_body() : take_sized_body();
  if (whole && state_ == State::body) dispatch();
  return false;
}

bool HttpConnection::take_sized_body() {
  Bytes& body = request_.body;
  const auto part = std::min<uint64_t>(in_.size(), content_length_ - body.size());
  const size_t wanted = body.size() + part;
  if (wanted > body.capacity()) {
    const auto room = std::min<uint64_t>(content_length_, std::max(2 * body.capacity(), wanted));
    if (!share_->raise_to(room)) {
      no_room();
      return false;
    }
    body.reserve(room);
  }
  append(body, as_bytes(std::string_view(in_).substr(0, part)));
  in_.erase(0, part);
  return body.size() == content_length_;
}

bool HttpConnection::take_chunked_body() {
  Bytes& body = request_.body;
  const size_t most = server_.options().max_body_bytes;
  const size_t wanted = std::min(most, body.size() + in_.size());
  if (wanted > body.capacity()) {
    const size_t room = std::min(most, std::max(2 * body.capacity(), wanted));
    if (!share_->raise_to(room)) {
      no_room();
      return false;
    }
    body.reserve(room);
  }
  std::string_view rest = in_;
  const auto state = chunked_body_->feed(rest, body, most);
  in_.erase(0, in_.size() - rest.size());
  if (state == ChunkedBody::State::malformed) refuse(400, "cannot read the chunked body");
  if (state == ChunkedBody::State::more && !in_.empty())
    refuse(413, "the body is too long: at most " + std::to_string(most) + " bytes are taken here");
  return state == ChunkedBody::State::done;
}

// ---- answering ----

void HttpConnection::dispatch() {
  state_ = State::answering;
  since_ = progress_ = std::chrono::steady_clock::now();
  output_ = std::make_shared<HttpOutput>();
  request_.held = std::exchange(share_, nullptr);
  server_.answer(id_, std::exchange(request_, {}), output_);
}

void HttpConnection::refuse(int status, const std::string& why) {
  state_ = State::answering;
  since_ = progress_ = std::chrono::steady_clock::now();
  keep_alive_ = false;
  request_ = {};
  share_.reset();
  output_ = std::make_shared<HttpOutput>();
  HttpOutput::Head head{status, server_.options().refusal_headers, why.size() + 1};
  head.headers["content-type"] = "text/plain; charset=utf-8";
  if (status == 426) head.headers["sec-websocket-version"] = "13";
  if (status == 503) head.headers["retry-after"] = "1";
  output_->send(std::move(head), to_bytes(std::string_view(why + "\n")));
}

void HttpConnection::no_room() {
  refuse(503, "too many request bodies are being held: try again in a second");
}

// False when the client takes no more for now, or the connection is over.
bool HttpConnection::flush() {
  while (out_sent_ < out_.size()) {
    const ssize_t sent =
        ::send(fd_.get(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno != EAGAIN) state_ = State::over;
      return false;
    }
    out_sent_ += static_cast<size_t>(sent);
    progress_ = std::chrono::steady_clock::now();
  }
  out_.clear();
  out_sent_ = 0;
  return true;
}

void HttpConnection::write_answer() {
  for (size_t written = 0; written < kTurnBytes;) {
    if (!flush()) return;
    if (last_part_) return answer_over();
    auto next = output_->take(kWriteBytes);
    if (next.cut) {
      state_ = State::over;
      return;
    }
    if (next.head) compose_head(std::move(*next.head));
    // What a HEAD or 304 answer carries is dropped.
    compose_part(head_only_ ? Bytes() : next.part, next.last);
    last_part_ = next.last;
    if (out_.empty() && !last_part_) return;  // woken by the next write
    written += out_.size();
  }
  server_.wake(id_);
}

void HttpConnection::compose_head(HttpOutput::Head head) {
  out_ += "HTTP/1.1 " + std::to_string(head.status) + ' ' + reason_phrase(head.status) + "\r\n";
  // HTTP forbids a body, and its length, in these.
  const bool bodiless = head.status == 204 || head.status == 304;
  head_only_ = head_only_ || bodiless;
  if (head_only_) output_->drop_body();
  chunked_ = !head.content_length && !head_only_ && http_1_1_;
  if (chunked_) head.headers["transfer-encoding"] = "chunked";
  if (!head.content_length && !http_1_1_) keep_alive_ = false;
  ends_with_connection_ = !head.content_length && !head_only_ && !chunked_;
  if (head.content_length && !bodiless)
    head.headers["content-length"] = std::to_string(*head.content_length);
  head.headers["date"] = http_date(system_now().seconds());  // RFC 9110, 6.6.1
  if (!keep_alive_ || !http_1_1_) head.headers["connection"] = keep_alive_ ? "keep-alive" : "close";
  for (const auto& [name, value] : head.headers) {
    out_ += name + ": ";
    for (const char c : value) out_ += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    out_ += "\r\n";
  }
  out_ += "\r\n";
}

void HttpConnection::compose_part(const Bytes& part, bool last) {
  if (!part.empty() && chunked_) out_ += hex_size(part.size()) + "\r\n";
  out_ += as_text(part);
  if (!part.empty() && chunked_) out_ += "\r\n";
  if (last && chunked_) out_ += "0\r\n\r\n";
}

void HttpConnection::answer_over() {
  release_output();
  last_part_ = false;
  ends_with_connection_ = false;
  head_only_ = false;  // what the next request turns out to be may never be known
  http_1_1_ = true;
  answered_one_ = true;
  searched_ = 0;
  since_ = progress_ = std::chrono::steady_clock::now();
  if (keep_alive_) {
    state_ = State::head;
    return;
  }
  ::shutdown(fd_.get(), SHUT_WR);
  in_.clear();
  state_ = peer_ended_ ? State::over : State::lingering;
}

void HttpConnection::release_output() {
  if (const auto output = std::exchange(output_, nullptr)) output->release();
}

// ---- time and room ----

Instant HttpConnection::deadline() const {
  switch (state_) {
    case State::head:
      return since_ + (answered_one_ && !head_begun_ ? kKeepAliveTime : kHeadTime);
    case State::body:
      return std::min(progress_ + kBodyPause,
                      since_ + kBodyTime + Seconds(request_.body.size() / kBodyRate));
    case State::answering:
      return out_.empty() ? Instant::max() : progress_ + kReaderPause;
    default:
      return since_ + kLingerTime;
  }
}

void HttpConnection::check(Instant now) {
  if (now >= deadline()) state_ = State::over;
}

std::optional<HttpConnection::Idle> HttpConnection::idle(Instant now) const {
  switch (state_) {
    case State::lingering:
      return Idle{0, since_};
    case State::head:
      return Idle{1, since_};
    case State::body:
      return now - progress_ < kStuckSender ? Idle{4, since_} : Idle{2, progress_};
    case State::answering:
      if (out_.empty() || now - since_ < kStuckReader) return std::nullopt;
      return now - progress_ < kStuckReader ? Idle{5, since_} : Idle{3, progress_};
    default:
      return std::nullopt;
  }
}

size_t HttpConnection::unsent_bytes() const {
  return out_.size() - out_sent_ + (output_ ? output_->unsent_bytes() : 0);
}

UniqueFd HttpConnection::take_socket() {
  server_.watch().forget(fd_.get());
  return std::move(fd_);
}

}  // namespace ipnscast::nostr::net
