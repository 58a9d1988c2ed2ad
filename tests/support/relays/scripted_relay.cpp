#include "ipnscast/tests/support/relays/scripted_relay.h"

#include <algorithm>
#include <stdexcept>

namespace ipnscast::test {

ScriptedRelay::ScriptedRelay(Script script, uint16_t port)
    : loop_(*nostr::net::Loop::start()), script_(std::move(script)) {
  nostr::net::ServerHandlers handlers;
  handlers.opened = [this](Connection id, const std::string&) {
    ++opened_;
    std::lock_guard lock(mutex_);
    connections_[id.value] = id;
  };
  handlers.closed = [this](Connection id) {
    std::lock_guard lock(mutex_);
    connections_.erase(id.value);
  };
  handlers.frame = [this](Connection id, std::string frame) {
    {
      std::lock_guard lock(mutex_);
      heard_.push_back(frame);
    }
    changed_.notify_all();
    auto message = nostr::parse_client_message(frame);
    if (message && script_) script_(*this, id, *message);
    return true;
  };
  auto server =
      nostr::net::listen(*loop_, {.port = port, .max_unsent_bytes = 64 * 1024 * 1024}, handlers);
  if (!server) throw std::runtime_error(server.error().message);
  port_ = (*server)->port();
  server_ = std::move(*server);
  started_.set_value(server_.get());
}

ScriptedRelay::~ScriptedRelay() { server_.reset(); }

nostr::RelayUrl ScriptedRelay::url() const {
  return *nostr::RelayUrl::parse("ws://127.0.0.1:" + std::to_string(port_));
}

void ScriptedRelay::say(Connection to, std::string frame) {
  running_.get()->send(to, std::make_shared<const std::string>(std::move(frame)));
}

void ScriptedRelay::say_to_all(const std::string& frame) {
  std::lock_guard lock(mutex_);
  for (const auto& [value, id] : connections_) say(id, frame);
}

void ScriptedRelay::drop(Connection connection) { running_.get()->close(connection); }

void ScriptedRelay::drop_all() {
  loop_->run([this] {
    std::lock_guard lock(mutex_);
    for (const auto& [value, id] : connections_) drop(id);
  });
}

std::vector<std::string> ScriptedRelay::heard() const {
  std::lock_guard lock(mutex_);
  return heard_;
}

bool ScriptedRelay::wait_heard(const std::string& prefix, size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
    return static_cast<size_t>(std::count_if(
               heard_.begin(), heard_.end(),
               [&](const std::string& frame) { return frame.rfind(prefix, 0) == 0; })) >= count;
  });
}

}  // namespace ipnscast::test
