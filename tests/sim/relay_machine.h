#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/relay/relay.h"

// One relay's state machine on a virtual clock.
namespace ipnscast::test {

using namespace ipnscast::nostr;

struct Clock {
  Instant steady = Instant(std::chrono::hours(1000));
  int64_t wall_ms = 1'790'000'000'000;
  Now now() const { return {steady, {wall_ms}}; }
  void advance(Milliseconds by) {
    steady += by;
    wall_ms += by.count();
  }
};

inline CheckedFrame say(RelayMessage message) {
  CheckedFrame out;
  out.verdict = std::holds_alternative<EventMessage>(message) ? Verdict::verified : Verdict::other;
  out.message = std::move(message);
  return out;
}

inline Event event_at(int64_t created_at, int kind = 1) {
  static const SecretKey key = SecretKey::generate();
  return sign_event(key, {{created_at}, kind, {}, std::to_string(created_at)});
}

template <typename T>
size_t count(const Relay::Actions& actions) {
  size_t out = 0;
  for (const auto& action : actions) out += std::holds_alternative<T>(action);
  return out;
}

inline std::vector<std::string> sent(const Relay::Actions& actions) {
  std::vector<std::string> out;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<Relay::Send>(&action)) out.push_back(send->frame);
  }
  return out;
}

inline const RelayOutcome* outcome(const Relay::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* published = std::get_if<Relay::Published>(&action)) return &published->outcome;
  }
  return nullptr;
}

inline const SecretKey& own_key() {
  static const SecretKey key = SecretKey::generate();
  return key;
}

struct Machine {
  Clock clock;
  Relay relay;
  explicit Machine(uint64_t seed = 1, std::vector<PublicKey> keys = {own_key().public_key()})
      : relay({}, Rng(seed), std::move(keys)) {}

  template <typename Call>
  Relay::Actions act(Call call) {
    Relay::Actions out;
    call(out);
    return out;
  }
  Relay::Actions start() {
    return act([&](auto& out) { relay.start(clock.now(), out); });
  }
  Relay::Actions open() {
    return act([&](auto& out) { relay.opened(clock.now(), out); });
  }
  Relay::Actions close() {
    return act([&](auto& out) { relay.closed(clock.now(), {}, out); });
  }
  Relay::Actions hear(RelayMessage message) {
    return act([&](auto& out) { relay.frame(say(std::move(message)), clock.now(), out); });
  }
  Relay::Actions tick() {
    return act([&](auto& out) { relay.tick(clock.now(), out); });
  }
  Relay::Actions subscribe(std::vector<Filter> filters) {
    return act([&](auto& out) {
      relay.subscribe("s", CatchUp::share(std::move(filters)), {}, clock.now(), out);
    });
  }
  Relay::Actions publish(const Event& event, Milliseconds within) {
    return act([&](auto& out) { relay.publish(event, clock.steady + within, clock.now(), out); });
  }
};

}  // namespace ipnscast::test
