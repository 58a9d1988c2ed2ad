#pragma once

#include <functional>
#include <map>
#include <optional>

#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/pool/pool.h"

namespace ipnscast::nostr {

// Reads back what relays acknowledged in an earlier process, which ended first (R15): at each relay
// in the order in which it was acknowledged, a few at a time, as soon as it is connected. Owned by
// the outbox thread.
class OwedReadBacks {
 public:
  struct Answer {
    Event event;
    RelayUrl relay;
    std::optional<RelayOutcome> outcome;  // none: not a relay of the pool
  };
  // On the net thread: brings the answer to take(). Must not block.
  using Post = std::function<void(Answer)>;

  // `longest`: no read-back is further away than that, whatever the clocks say. Pool and writer
  // outlive this.
  OwedReadBacks(Pool& pool, store::Writer& writer, Milliseconds longest, Post post)
      : pool_(pool), writer_(writer), longest_(longest), post_(std::move(post)) {}

  // Once, at the start.
  void ask_all();
  // Also what is under way by then is asked again, unless the relay tells it.
  void ask(const RelayUrl& relay);
  // The caller has noted what the answer says.
  void take(const Answer& answer);

 private:
  struct Asking {
    int64_t last = 0;       // number of the last one
    size_t open = 0;        // under way
    bool answered = false;  // the relay told one of these
    bool restart = false;   // it came back meanwhile
  };
  void ask_more(const RelayUrl& relay);

  // constant after construction
  Pool& pool_;
  store::Writer& writer_;
  const Milliseconds longest_;
  const Post post_;

  std::map<RelayUrl, Asking> asking_;
};

}  // namespace ipnscast::nostr
