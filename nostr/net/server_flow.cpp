// The pace of a WebSocket server's clients: who is read, and what becomes of those who do not read.
#include "ipnscast/nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr Seconds kLastWordsTime{10};  // for a reader that was too slow to take its last words

}  // namespace

void ServerImpl::enqueue(ServerConnection& c, std::shared_ptr<const std::string> frame) {
  if (c.unsent_bytes + frame->size() > options_.max_unsent_bytes) return close_too_slow(c);
  make_room(frame->size());
  if (c.closing) return;  // it was the slowest itself
  push_unsent(c, std::move(frame));
  flush_frames(c);
}

void ServerImpl::push_unsent(ServerConnection& c, std::shared_ptr<const std::string> frame) {
  c.unsent_bytes += frame->size();
  unsent_total_ += frame->size();
  c.unsent.push_back({std::move(frame), std::chrono::steady_clock::now()});
}

std::shared_ptr<const std::string> ServerImpl::pop_unsent(ServerConnection& c) {
  auto frame = std::move(c.unsent.front().frame);
  c.unsent.pop_front();
  c.unsent_bytes -= frame->size();
  unsent_total_ -= frame->size();
  return frame;
}

void ServerImpl::drop_unsent(ServerConnection& c) {
  unsent_total_ -= c.unsent_bytes;
  c.unsent_bytes = 0;
  c.unsent.clear();
}

void ServerImpl::make_room(size_t bytes) {
  while (unsent_total_ + bytes > options_.max_unsent_total) {
    ServerConnection* const slow = slowest();
    if (slow == nullptr) return;
    close_too_slow(*slow);
  }
}

// Null when nothing is queued but last words. The share keeps those who hold next to nothing, like
// a subscriber that sleeps, from being closed for the room that others take.
ServerConnection* ServerImpl::slowest() {
  const auto counts = [](const ServerConnection& c) { return !c.too_slow && !c.unsent.empty(); };
  size_t total = 0;
  size_t holders = 0;
  for (const auto& [id, c] : connections_) {
    if (!counts(*c)) continue;
    total += c->unsent_bytes;
    ++holders;
  }
  ServerConnection* out = nullptr;
  for (const auto& [id, c] : connections_) {
    if (!counts(*c) || c->unsent_bytes < total / holders) continue;
    if (out == nullptr || c->unsent.front().since < out->unsent.front().since) out = c.get();
  }
  return out;
}

// 1013, "try again later", would say more, but clients made with lws take it for an error.
void ServerImpl::close_too_slow(ServerConnection& c) {
  c.too_slow = true;
  drop_unsent(c);
  if (!options_.last_words.empty())
    push_unsent(c, std::make_shared<const std::string>(options_.last_words));
  end_after(c, kLastWordsTime);
  begin_close(c, kClosePolicy, "you read too slowly");
}

void ServerImpl::tell_if_drained(ServerConnection& c) {
  if (!c.drain_to || c.unsent_bytes > *c.drain_to) return;
  c.drain_to.reset();
  if (handlers_.drained) handlers_.drained(c.id);
}

void ServerImpl::watch_stall(const ServerConnection& c) {
  loop_.at(std::chrono::steady_clock::now() + options_.max_stall,
           [self = self_, id = c.id, taken = c.taken_bytes] {
             if (*self == nullptr) return;
             ServerConnection* waits = (*self)->find(id);
             if (waits == nullptr || !waits->drain_to) return;
             if (waits->taken_bytes == taken) return (*self)->close_too_slow(*waits);
             (*self)->watch_stall(*waits);
           });
}

void ServerImpl::when_drained(ServerConnectionId id, size_t bytes) {
  post([id, bytes](ServerImpl& self) {
    ServerConnection* c = self.find(id);
    if (c == nullptr || c->closing) return;
    c->drain_to = bytes;
    self.tell_if_drained(*c);
    if (c->drain_to) self.watch_stall(*c);
  });
}

void ServerImpl::pause_reading(ServerConnectionId id) {
  post([id](ServerImpl& self) {
    ServerConnection* c = self.find(id);
    if (c != nullptr && !c->closing) self.set_paused(*c, true);
  });
}

void ServerImpl::resume_reading(ServerConnectionId id) {
  post([id](ServerImpl& self) {
    if (ServerConnection* c = self.find(id)) self.set_paused(*c, false);
  });
}

}  // namespace ipnscast::nostr::net
