#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync::push {

// Reads a stream of server-sent events as it comes in pieces of any size (WHATWG HTML, "9.2
// Server-sent events"): LF, CRLF and CR end a line, a byte order mark at the start is passed over,
// data lines are joined by LF, an event without data is none. Bounded: a line or an event that is
// longer than kMaxEvent is dropped and counted.
class EventStream {
 public:
  static constexpr size_t kMaxEvent = 64 * 1024;

  struct Event {
    std::string type;  // empty: the default, "message"
    std::string data;
  };
  using Take = std::function<void(const Event&)>;

  void add(std::string_view bytes, const Take& take);

  // What a new connection sends as Last-Event-ID; empty: nothing. It stays across reset().
  const std::string& last_id() const { return last_id_; }
  // How long the server asks clients to wait before they connect again.
  std::optional<Milliseconds> retry() const { return retry_; }
  size_t dropped() const { return dropped_; }
  // A new connection begins: what was unfinished is forgotten.
  void reset();

 private:
  void end_of_line(const Take& take);
  void field(std::string_view name, std::string_view value);

  std::string line_;
  bool line_too_long_ = false;
  bool after_cr_ = false;
  bool at_start_ = true;
  Event event_;
  std::string id_;  // of the event that is being read
  bool has_data_ = false;
  bool event_too_long_ = false;
  std::string last_id_;
  std::optional<Milliseconds> retry_;
  size_t dropped_ = 0;
};

}  // namespace ipnscast::sync::push
