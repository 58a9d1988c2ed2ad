#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::test {

// A reader's engine and the ways that news comes to it, each of which is cut and mended on a
// virtual clock: a relay, a push server over WebSocket, one over server-sent events, and gateways.
// The relay and the streams say their latest again when they are back, the WebSocket does not. What
// is under way when a way is cut is lost. Checks at each hand-over that it is verified and in
// order, and throws a std::runtime_error that names the broken promise.
class SourceWorld {
 public:
  enum Way { relay, websocket, sse, gateways };
  static constexpr int kWays = 4;

  explicit SourceWorld(uint64_t seed, sync::EngineOptions options = {});

  // A new version: at the gateways at once, and said over every way that is not cut.
  void publish();
  // Two values under the sequence that comes next, as of two devices; says both.
  void publish_two();
  void cut(Way way);
  void mend(Way way);
  void set(Way way, bool open) { open ? mend(way) : cut(way); }
  bool is_open(Way way) const { return open_[way]; }
  void run(Milliseconds time);
  // The reader is off, without any notice, and on again with what it had committed.
  void off();
  void on();

  Now now() const { return now_; }
  uint64_t roll(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(rng_);
  }
  // The record that every device agrees on.
  const sync::KnownRecord& best() const { return *best_; }
  // Taken by the handler, in order.
  const std::vector<sync::Change>& handed() const { return handed_; }
  bool up_to_date() const;
  // When gateways were asked last, by a poll or a look-up.
  std::optional<Instant> asked() const { return asked_; }

 private:
  using Event = std::function<void()>;

  void start();
  void feed(sync::Input input);
  void later(uint64_t least_ms, uint64_t most_ms, Event event);
  void add(sync::KnownRecord record);
  sync::KnownRecord record(uint64_t sequence);
  void say(Way way, const sync::KnownRecord& record);
  void say_everywhere(const sync::KnownRecord& record);
  std::optional<sync::KnownRecord> found() const;

  void act(sync::action::Resolve& a);
  void act(sync::action::Poll& a);
  void act(sync::action::Fetch& a);
  void act(sync::action::Commit& a);
  void act(sync::action::ReadVersion&) {}  // nobody wants older versions here
  void act(sync::action::Deliver& a);
  void act(sync::action::Offer&) {}  // nothing is pulled here
  void act(sync::action::Revoke&) {}
  void act(sync::action::Cancel&) {}
  void act(sync::action::Load&) {}
  void act(sync::action::NewDeviceId&) {}
  void act(sync::action::Alarm&) {}

  const sync::EngineOptions options_;
  const sync::IpnsName name_;
  Rng rng_;
  Now now_;
  std::multimap<Instant, Event> agenda_;
  std::unique_ptr<sync::Engine> engine_;  // null: off
  uint64_t run_ = 0;                      // of the engine
  sync::NameRow committed_;
  std::vector<sync::KnownRecord> records_;  // all that verify
  std::optional<sync::KnownRecord> best_;
  std::vector<std::string> fetched_;
  std::vector<sync::Change> handed_;
  uint64_t handed_in_ = 0;  // the run of the last of these
  std::optional<Instant> asked_;
  bool open_[kWays] = {true, true, true, true};
  uint64_t links_[kWays] = {};  // how often each was cut
  uint64_t last_value_ = 0;
};

}  // namespace ipnscast::test
