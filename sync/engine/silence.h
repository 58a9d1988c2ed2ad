#pragma once

#include <optional>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync {

// Whether anybody is left who could tell of a change: a real-time source that is connected, or a
// gateway that answers when it is asked. Says when there has been nobody for a while, and when that
// is over. Pure; one thread.
class Silence {
 public:
  // Shorter ones are nobody's business: a relay that connects again, a node that is restarted.
  static constexpr Milliseconds kAfter{3'000};

  // Some real-time source is healthy, or none.
  void connected(bool any, Instant now);
  // Gateways were asked: somebody answered, or nobody.
  void asked(bool answered, Instant now);

  // It lasts so long now. Nothing: there is none, or nothing is known yet.
  std::optional<Milliseconds> lasts(Instant now) const;

  struct Word {
    bool over = false;
    Milliseconds lasted{0};
  };
  // What is to be said now, once each.
  std::optional<Word> word(Instant now);
  // When there will be something to say unless somebody is heard.
  std::optional<Instant> next() const;

 private:
  void look(Instant now);

  bool connected_ = false;
  bool answered_ = true;  // until somebody was asked in vain
  std::optional<Instant> since_;
  std::optional<Instant> said_since_;  // it was said, and not yet that it is over
};

}  // namespace ipnscast::sync
