// How a client ends.
#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/state/gateway_memory.h"

namespace ipnscast::sync {

// From outside: waits for everybody, then ends the parts. From inside of a call or handler: waits
// for the others, and leaves the end to the last one, so that what the handler says is committed.
void ClientImpl::close() {
  gate_.begin_closing();
  const bool inside = gate_.inside();
  if (inside) gate_.leave_end_to_the_last();
  if (gate_.in_progress_callback()) return;  // calls in flight wait for this very thread
  if (contents_) contents_->close();
  if (records_) records_->close();
  gate_.wait_for_calls();
  if (sync_) sync_->close_handlers();
  if (!inside) end(true);
}

void ClientImpl::somebody_left() {
  if (!gate_.end_is_ours()) return;
  if (sync_) sync_->close_handlers();
  end(false);
}

std::shared_ptr<void> ClientImpl::handler_begins() {
  struct Stay {
    std::shared_ptr<ClientImpl> client;
    std::optional<ClientGate::Inside> inside;
    explicit Stay(std::shared_ptr<ClientImpl> c) : client(std::move(c)) {
      inside.emplace(client->gate(), ClientGate::Inside::As::handler);
    }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() {
      inside.reset();
      client->somebody_left();
    }
  };
  return std::make_shared<Stay>(shared_from_this());
}

// `wait`: when another thread is at it. Not on a lane, whose end that one may wait for.
void ClientImpl::end(bool wait) {
  std::unique_lock lock(end_mutex_);
  if (ending_) {
    if (wait) end_changed_.wait(lock, [&] { return ended_; });
    return;
  }
  ending_ = true;
  lock.unlock();
  end_parts();
  lock.lock();
  ended_ = true;
  end_changed_.notify_all();
}

// Top-down. The parts that handlers which were left alone may still use stay as they are.
void ClientImpl::end_parts() {
  if (control_) control_->close();
  if (sync_) {
    sync_->close();
    save_metrics();
  }
  if (contents_) contents_->close();
  if (records_) records_->close();
  // Ends the races that a renewal waits for.
  if (publisher_) publisher_->begin_close();
  if (resolver_) resolver_->close();
  if (publisher_) publisher_->close();
  if (presence_) presence_->close();
  outbox_.reset();
  pool_.reset();
  if (fetcher_) fetcher_->close();
  if (stream_http_) stream_http_->close();
  if (http_) http_->close();
  if (book_ && writer_) save_gateways_now(*book_, *writer_);
  if (writer_) writer_->close();
  lock_.reset();
}

}  // namespace ipnscast::sync
