#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nostr/event.h"

namespace ipnscast::nostr {

// Proves to one relay that we hold our keys, when it asks for that: several keys may be proved on
// one connection, each at most once for a challenge. NIP-42. Pure; part of Relay.
class RelayAuth {
 public:
  enum class State {
    unproved,
    wanted,      // waits for a challenge
    signing,     // waits for the signer, who always answers
    sent,        // waits for the OK
    unanswered,  // no challenge or no OK came in time
    proved,
    refused
  };
  // Sign the challenge with this key and come back with signed().
  struct Sign {
    PublicKey key;
    std::string challenge;
  };
  struct Answer {
    PublicKey key;
    bool accepted = false;
  };

  explicit RelayAuth(std::vector<PublicKey> keys) : keys_(std::move(keys)) {}

  // A new connection: nothing is proved, no challenge was heard.
  void reset();
  // The relay's latest challenge counts only; what waited for one can be signed now. A repeated one
  // leaves a proof that waits for its OK alone.
  std::vector<Sign> challenged(std::string challenge);
  // This key shall be proved. Nothing when there is no challenge yet, or when it is under way.
  std::optional<Sign> want(const PublicKey& key);
  // What to send, if the challenge is still the latest; else what to sign instead. An error counts
  // as a refusal.
  struct Signed {
    std::optional<Event> send;
    std::optional<Sign> again;
    std::optional<Answer> over;
  };
  Signed signed_by(const PublicKey& key, Result<Event> event);
  // No challenge, or no OK, came in time: counts as over until the next challenge or once_more().
  // An OK that comes late counts all the same.
  void no_answer(const PublicKey& key);
  void once_more(const PublicKey& key);
  // An OK: the answer to one of ours?
  std::optional<Answer> ok(const EventId& id, bool accepted);

  // Which of our keys could help with an event of this author, or a filter with these authors:
  // those of ours among them, else the first.
  std::vector<PublicKey> useful_for(const std::vector<PublicKey>& authors) const;
  State state(const PublicKey& key) const;
  // The relay has asked on this connection.
  bool was_asked() const { return !challenge_.empty(); }
  bool holds(const PublicKey& key) const;
  bool over(const PublicKey& key) const { return state(key) >= State::unanswered; }

 private:
  struct Proof {
    State state = State::unproved;
    EventId sent;
  };

  // constant after construction
  const std::vector<PublicKey> keys_;

  std::string challenge_;
  std::map<PublicKey, Proof> proofs_;
};

}  // namespace ipnscast::nostr
