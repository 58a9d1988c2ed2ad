#include "ipnscast/sync/source/push/kept_socket.h"

namespace ipnscast::sync::push {

using nostr::net::Closed;

KeptSocket::KeptSocket(nostr::net::Loop& loop, nostr::RelayUrl url, Options options,
                       Handlers handlers)
    : loop_(loop),
      url_(std::move(url)),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      backoff_(options_.backoff),
      pace_(loop_, [this] { read_or_not(); }) {
  connect();
}

void KeptSocket::connect() {
  current_ = std::make_shared<bool>(true);
  const std::weak_ptr<bool> here = current_;
  client_ = nostr::net::connect(loop_, url_, options_.client,
                                {.opened =
                                     [this] {
                                       backoff_.succeeded(std::chrono::steady_clock::now());
                                       read_or_not();
                                       handlers_.opened();
                                     },
                                 .frame = [this](std::string frame) { take(std::move(frame)); },
                                 .closed =
                                     [this, here](const Closed& closed) {
                                       if (!here.expired()) ended(closed);
                                     }});
}

// In a handler of the client, which may be destroyed there.
void KeptSocket::ended(const Closed& closed) {
  client_.reset();
  const Instant now = std::chrono::steady_clock::now();
  current_ = std::make_shared<bool>(true);
  loop_.at(now + backoff_.failed(now, rng_, closed.retry_after),
           [this, here = std::weak_ptr<bool>(current_)] {
             if (!here.expired()) connect();
           });
  handlers_.lost(closed);
}

void KeptSocket::send(std::string frame) {
  if (client_) client_->send(std::move(frame));
}

void KeptSocket::read_or_not() {
  if (!client_) return;
  pace_.reads() ? client_->resume_reading() : client_->pause_reading();
}

void KeptSocket::take(std::string frame) {
  pace_.took(std::chrono::steady_clock::now());
  handlers_.frame(std::move(frame));
}

}  // namespace ipnscast::sync::push
