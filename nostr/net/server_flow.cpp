// The pace of a WebSocket server's clients: who is read, and what becomes of those who do not read.
#include "nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr int kFarewellSeconds = 10;  // for a reader that was too slow to take its last words

}  // namespace

void ServerImpl::close_too_slow(ServerConnection& c) {
  c.closing = c.too_slow = true;
  c.drain_to.reset();
  c.unsent.clear();
  c.unsent_bytes = 0;
  if (!options_.last_words.empty()) {
    c.unsent.push_back(std::make_shared<const std::string>(options_.last_words));
    c.unsent_bytes = options_.last_words.size();
  }
  lws_rx_flow_control(c.wsi, 1);  // for its half of the closing handshake
  lws_callback_on_writable(c.wsi);
  lws_set_timeout(c.wsi, PENDING_TIMEOUT_USER_REASON_BASE, kFarewellSeconds);
}

void ServerImpl::tell_if_drained(ServerConnection& c) {
  if (!c.drain_to || c.unsent_bytes > *c.drain_to) return;
  c.drain_to.reset();
  if (handlers_.drained) handlers_.drained(c.id);
}

void ServerImpl::watch_stall(const ServerConnection& c) {
  loop_.at(std::chrono::steady_clock::now() + options_.max_stall,
           [self = self_, id = c.id, written = c.written_frames] {
             if (*self == nullptr) return;
             ServerConnection* waits = (*self)->find(id);
             if (waits == nullptr || !waits->drain_to) return;
             if (waits->written_frames == written) return (*self)->close_too_slow(*waits);
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
    if (c != nullptr && !c->closing) lws_rx_flow_control(c->wsi, 0);
  });
}

void ServerImpl::resume_reading(ServerConnectionId id) {
  post([id](ServerImpl& self) {
    if (ServerConnection* c = self.find(id)) lws_rx_flow_control(c->wsi, 1);
  });
}

}  // namespace ipnscast::nostr::net
