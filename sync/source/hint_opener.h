#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "ipnscast/nostr/pool/pool.h"

namespace ipnscast::sync {

// Has private hints decrypted on their way from the pool, a bounded number at a time. What one
// relay says keeps its order: behind a hint that waits for the signer all of that relay waits, so
// that "everything stored was sent" and `covered` never overtake a hint. One thread; only `post` is
// called from others.
class HintOpener {
 public:
  struct Answer {
    uint64_t ticket = 0;
    Result<std::string> text;
  };
  using Post = std::function<void(Answer)>;

  struct Opened {
    nostr::PoolMessage message;
    std::optional<Result<std::string>> text;  // what was inside of a private hint
  };

  // `post` takes what the signer says, from any thread or inside of take() and answer(), and brings
  // it to answer(). It may be called after this object has ended.
  HintOpener(std::shared_ptr<nostr::Signer> signer, Post post, size_t at_a_time = 16);

  void take(nostr::PoolMessage message);
  void answer(Answer answer);  // an unknown ticket is ignored
  // What can be read now; nothing: all that is left waits for the signer.
  std::optional<Opened> next();

  // Messages that were taken and not given by next(): the caller takes no more when these are many.
  size_t held() const { return held_; }

 private:
  struct Slot {
    Opened content;
    bool waits = false;  // for the signer
  };
  using Line = std::deque<Slot>;  // of one relay

  void ask();
  void release(const nostr::RelayUrl& relay);

  // constant after construction
  const std::shared_ptr<nostr::Signer> signer_;
  const nostr::PublicKey own_key_;
  const Post post_;
  const size_t at_a_time_;

  std::map<nostr::RelayUrl, Line> lines_;  // elements of a deque stay where they are
  std::deque<Slot*> unasked_;
  std::map<uint64_t, Slot*> asked_;
  std::deque<Opened> ready_;
  uint64_t last_ticket_ = 0;
  size_t held_ = 0;
};

}  // namespace ipnscast::sync
