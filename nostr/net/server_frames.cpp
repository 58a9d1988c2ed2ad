// The frames of a WebSocket server's clients: reading, writing, and the closing handshake. RFC 6455
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "ipnscast/nostr/net/message/frame_head.h"
#include "ipnscast/nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kFrameReadBytes = 64 * 1024;
constexpr size_t kFrameWriteBytes = 16 * 1024;  // small frames go together
constexpr size_t kCompressFrom = 256;           // shorter ones fit into a packet anyway

constexpr Seconds kStuck{10};      // of a client that takes nothing of what goes before our close
constexpr Seconds kAnswerTime{5};  // for its half of the closing handshake
constexpr Seconds kCloseLingerTime{2};  // for its end of the connection, when all is said
constexpr Seconds kQuiet{300};          // then a client is pinged
constexpr Seconds kPongTime{10};

}  // namespace

// ---- reading ----

void ServerImpl::frames_ready(uint64_t id, uint32_t events) {
  ServerConnection* const c = find({id});
  if (c == nullptr) return;
  if ((events & EPOLLIN) != 0 && !c->paused) {
    receive_frames(*c);
  } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    end(*c);
  }
  if (!c->over && (events & EPOLLOUT) != 0) flush_frames(*c);
}

void ServerImpl::receive_frames(ServerConnection& c) {
  std::array<char, kFrameReadBytes> buffer;
  const ssize_t got = ::recv(c.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return end(c);
  c.heard = std::chrono::steady_clock::now();
  take_frames(c, std::span(buffer).first(static_cast<size_t>(got)));
}

void ServerImpl::take_frames(ServerConnection& c, std::span<char> input) {
  using Kind = FrameReader::Event::Kind;
  while (!c.over && !c.deaf && !c.paused) {
    auto event = c.reader.next(input);
    if (!event) break;
    if (event->kind == Kind::text) {
      if (!c.closing && handlers_.frame && !handlers_.frame(c.id, std::move(event->payload)))
        c.paused = true;
    } else if (event->kind == Kind::ping) {
      c.pong = std::move(event->payload);
      flush_frames(c);
    } else if (event->kind == Kind::close || event->kind == Kind::fault) {
      const bool fault = event->kind == Kind::fault;
      c.deaf = true;
      drop_unsent(c);  // nobody waits for it any more
      begin_close(c, event->code, fault ? std::move(event->payload) : std::string());
      tell_closed(c);
    }
  }
  if (c.over) return;
  if (c.paused) c.held.append(input.data(), input.size());
  watch_what_is_wanted(c);
}

void ServerImpl::set_paused(ServerConnection& c, bool paused) {
  c.paused = paused;
  std::string held;
  if (!paused) held.swap(c.held);
  take_frames(c, held);
}

void ServerImpl::watch_what_is_wanted(ServerConnection& c) {
  const uint32_t wanted = (c.paused ? 0U : static_cast<uint32_t>(EPOLLIN)) |
                          (c.out_sent < c.out.size() ? static_cast<uint32_t>(EPOLLOUT) : 0U);
  if (wanted != std::exchange(c.watched, wanted)) watch().change(c.fd.get(), wanted);
}

// ---- writing ----

void ServerImpl::flush_frames(ServerConnection& c) {
  do {
    while (c.out_sent < c.out.size()) {
      const ssize_t sent = ::send(c.fd.get(), c.out.data() + c.out_sent, c.out.size() - c.out_sent,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno != EAGAIN) return end(c);
      if (sent < 0) {
        tell_if_drained(c);
        return watch_what_is_wanted(c);
      }
      c.out_sent += static_cast<size_t>(sent);
      c.taken_bytes += static_cast<uint64_t>(sent);
    }
    c.out.clear();
    c.out_sent = 0;
  } while (compose_frames(c));
  if (c.out.capacity() > 2 * kFrameWriteBytes) c.out.shrink_to_fit();
  if (c.deaf && c.close_sent) ::shutdown(c.fd.get(), SHUT_WR);
  tell_if_drained(c);
  watch_what_is_wanted(c);
}

// False when there is nothing to write.
bool ServerImpl::compose_frames(ServerConnection& c) {
  if (c.close_sent) return false;
  if (c.pong && !c.closing) c.out += control_frame(kPongFrame, *c.pong);
  c.pong.reset();
  if (std::exchange(c.ping_wanted, false)) c.out += control_frame(kPingFrame, {});
  while (!c.unsent.empty() && c.out.size() < kFrameWriteBytes) append_frame(c, *pop_unsent(c));
  if (!c.out.empty()) return true;
  if (!c.closing) return false;
  c.close_sent = true;
  c.out = control_frame(kCloseFrame, close_payload(c.close_code, c.close_reason));
  end_after(c, c.deaf ? kCloseLingerTime : kAnswerTime);
  return true;
}

void ServerImpl::append_frame(ServerConnection& c, const std::string& text) {
  std::optional<std::string> compressed;
  if (c.compress && c.reader.deflate() && text.size() >= kCompressFrom)
    compressed = loop_.impl().deflater.message(text);
  const std::string& payload = compressed ? *compressed : text;
  c.out += frame_head(kTextFrame, payload.size(), compressed.has_value());
  c.out += payload;
}

// ---- the end ----

// The close frame goes behind what is queued.
void ServerImpl::begin_close(ServerConnection& c, int code, std::string reason) {
  if (!std::exchange(c.closing, true)) {
    c.close_code = code;
    c.close_reason = std::move(reason);
    c.drain_to.reset();
    end_when_stuck(c);
  }
  flush_frames(c);
  if (c.over) return;
  if (c.paused) set_paused(c, false);  // for its half of the closing handshake
}

void ServerImpl::end_after(ServerConnection& c, Milliseconds wait) {
  loop_.at(std::chrono::steady_clock::now() + wait, [self = self_, id = c.id] {
    if (*self == nullptr) return;
    if (ServerConnection* late = (*self)->find(id)) (*self)->end(*late);
  });
}

void ServerImpl::end_when_stuck(ServerConnection& c) {
  loop_.at(std::chrono::steady_clock::now() + kStuck,
           [self = self_, id = c.id, taken = c.taken_bytes] {
             if (*self == nullptr) return;
             ServerConnection* late = (*self)->find(id);
             if (late == nullptr) return;
             if (late->taken_bytes == taken) return (*self)->end(*late);
             (*self)->end_when_stuck(*late);
           });
}

// Clients that say nothing for long may be gone without a word.
void ServerImpl::watch_health(ServerConnection& c) {
  loop_.at(c.heard + kQuiet, [self = self_, id = c.id, heard = c.heard] {
    if (*self == nullptr) return;
    ServerConnection* quiet = (*self)->find(id);
    if (quiet == nullptr || quiet->closing) return;
    if (quiet->paused) quiet->heard = std::chrono::steady_clock::now();  // we do not listen
    if (quiet->heard != heard) return (*self)->watch_health(*quiet);
    quiet->ping_wanted = true;
    (*self)->flush_frames(*quiet);
    (*self)->loop_.at(std::chrono::steady_clock::now() + kPongTime, [self, id, heard] {
      if (*self == nullptr) return;
      ServerConnection* asked = (*self)->find(id);
      if (asked == nullptr) return;
      if (asked->heard == heard && !asked->paused) return (*self)->end(*asked);
      (*self)->watch_health(*asked);
    });
  });
}

// Says what can be said without waiting. The client's bytes are taken, as they would reset it.
void ServerImpl::go_away(ServerConnection& c) {
  if (c.over) return;
  c.told = true;
  begin_close(c, kCloseGoingAway, "the server is going away");
  if (c.over) return;
  ::shutdown(c.fd.get(), SHUT_WR);
  std::array<char, kFrameReadBytes> buffer;
  constexpr int kMostReads = 64;
  for (int i = 0; i < kMostReads; ++i) {
    if (::recv(c.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) <= 0) break;
  }
  watch().forget(c.fd.get());
}

void ServerImpl::tell_closed(ServerConnection& c) {
  if (!std::exchange(c.told, true) && handlers_.closed) handlers_.closed(c.id);
}

// Those who called us may still hold `c`.
void ServerImpl::end(ServerConnection& c) {
  if (std::exchange(c.over, true)) return;
  drop_unsent(c);
  watch().forget(c.fd.get());
  c.fd.reset();
  tell_closed(c);
  loop_.at(std::chrono::steady_clock::now(), [self = self_, id = c.id] {
    if (*self == nullptr) return;
    const auto found = (*self)->connections_.find(id.value);
    (*self)->forget_address(found->second->peer.group);
    (*self)->connections_.erase(found);
  });
}

}  // namespace ipnscast::nostr::net
