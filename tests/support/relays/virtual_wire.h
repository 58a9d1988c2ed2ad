#pragma once

#include <deque>
#include <functional>

#include "ipnscast/nostr/probe/wire.h"
#include "ipnscast/tests/support/relays/faulty_relay.h"

namespace ipnscast::test {

// A wire to a relay in memory on a virtual clock: an answer takes ten milliseconds, waiting for
// nothing takes no time at all.
class VirtualWire final : public nostr::probe::Wire {
 public:
  static constexpr Milliseconds kDelay{10};

  explicit VirtualWire(FaultyRelay& relay) : relay_(relay) {}

  Now now() const override { return now_; }
  Result<nostr::probe::Handshake> shake_hands(Instant) override {
    if (unreachable) return fail(Errc::unreachable, "nobody there");
    return handshake;
  }
  Result<std::unique_ptr<nostr::probe::Connection>> connect(Instant) override;
  bool cancelled() const override {
    return cancel_after_writes != 0 && relay_.writes() >= cancel_after_writes && !finishing_;
  }
  void finish_despite_cancel() override { finishing_ = true; }

  nostr::probe::Handshake handshake{};
  bool unreachable = false;
  size_t cancel_after_writes = 0;  // 0: never
  size_t sent = 0;                 // frames of the probe

 private:
  class Link;
  struct Line {
    std::deque<nostr::probe::Connection::Heard> coming;
    bool closed = false;
  };
  void deliver(const FaultyRelay::Saying& saying);
  void advance(Instant to);

  FaultyRelay& relay_;
  Now now_{Instant{} + std::chrono::hours(1), {1'790'000'000'000}};
  std::map<uint64_t, Line> lines_;
  uint64_t next_ = 1;
  bool finishing_ = false;
};

class VirtualWire::Link final : public nostr::probe::Connection {
 public:
  Link(VirtualWire& wire, uint64_t id) : wire_(wire), id_(id) {}
  ~Link() override {
    wire_.relay_.closed(id_);
    wire_.lines_.erase(id_);
  }
  void send(std::string frame) override {
    ++wire_.sent;
    if (!wire_.lines_[id_].closed) wire_.deliver(wire_.relay_.hears(id_, frame));
  }
  Result<Heard> hear(Instant until) override {
    if (wire_.cancelled()) return fail(Errc::cancelled, "interrupted");
    Line& line = wire_.lines_[id_];
    if (line.coming.empty() && line.closed) return fail(Errc::closed, "gone");
    if (line.coming.empty() || line.coming.front().at > until) {
      wire_.advance(until);
      return fail(Errc::timeout, "no answer in time");
    }
    Heard heard = std::move(line.coming.front());
    line.coming.pop_front();
    wire_.advance(heard.at);
    return heard;
  }

 private:
  VirtualWire& wire_;
  const uint64_t id_;
};

inline Result<std::unique_ptr<nostr::probe::Connection>> VirtualWire::connect(Instant) {
  const uint64_t id = next_++;
  lines_[id] = {};
  auto link = std::make_unique<Link>(*this, id);
  deliver(relay_.opened(id));
  return link;
}

inline void VirtualWire::deliver(const FaultyRelay::Saying& saying) {
  for (const FaultyRelay::Said& said : saying) {
    const auto line = lines_.find(said.to);
    if (line == lines_.end()) continue;
    if (said.frame.empty()) {
      line->second.closed = true;
    } else {
      line->second.coming.push_back({said.frame, now_.steady + kDelay});
    }
  }
}

inline void VirtualWire::advance(Instant to) {
  if (to <= now_.steady) return;
  now_.wall.value += std::chrono::duration_cast<Milliseconds>(to - now_.steady).count();
  now_.steady = to;
}

}  // namespace ipnscast::test
