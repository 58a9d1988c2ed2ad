#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// Proves to one relay that we hold our keys, when it asks for that: several keys may be proved on
// one connection, each at most once for a challenge. A relay that sends challenge after challenge
// gets two signatures at once and the next ones after pauses that double, as a signer may be a
// person with a phone. NIP-42. Pure; part of Relay.
class RelayAuth {
 public:
  enum class State {
    unproved,
    wanted,      // waits for a challenge
    paused,      // waits for the end of a pause, see due()
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

  // A new connection: nothing is proved, no challenge was heard. The pauses between signatures go
  // on, unless the relay served us for one: it could close its connections to be asked anew.
  void reset();
  // The relay's latest challenge counts only; what waited for one, or for the answer to the one
  // before, can be signed now. Of a repeated one only those take notice that wait for a challenge
  // or were served since their proof. No dearer than the number of our keys.
  std::vector<Sign> challenged(std::string challenge, Instant now);
  // This key shall be proved. Nothing when there is no challenge yet, when it is under way, or
  // when it has to pause.
  std::optional<Sign> want(const PublicKey& key, Instant now);
  // The pauses that are over.
  std::vector<Sign> due(Instant now);
  std::optional<Instant> next_due() const;
  // What to send, if the challenge is still the latest; else what to sign instead. An error counts
  // as a refusal.
  struct Signed {
    std::optional<Event> send;
    std::optional<Sign> again;
    std::optional<Answer> over;
  };
  Signed signed_by(const PublicKey& key, Result<Event> event, Instant now);
  // No challenge, or no OK, came in time: counts as over until the next challenge or once_more().
  // An OK that comes late counts all the same.
  void no_answer(const PublicKey& key);
  // A key without an answer may be tried again, and after five minutes one that was refused.
  void once_more(const PublicKey& key, Instant now);
  // An OK: the answer to one of ours?
  std::optional<Answer> ok(const EventId& id, bool accepted);
  // The relay served a request that was written when keys had been proved.
  void served();
  // The relay refuses now what it may have served before: a proof that helped since it was taken
  // has ended, and waits for the next challenge, once. One that did not help stays as it is.
  void lapsed(const PublicKey& key);

  // Which of our keys could help with an event of this author, or a filter with these authors:
  // those of ours among them, else the first.
  std::vector<PublicKey> useful_for(const std::vector<PublicKey>& authors) const;
  State state(const PublicKey& key) const;
  // The relay has asked on this connection.
  bool was_asked() const { return !challenge_.empty(); }
  bool holds(const PublicKey& key) const;
  // Nothing is to be gained by proving this key (again): it was proved, and if the relay challenges
  // us anew, it has not served us since; or the proof failed.
  bool over(const PublicKey& key) const;
  // The relay took a proof of this key on this connection.
  bool was_proved(const PublicKey& key) const;
  // The relay served something after a proof of this key on this connection.
  bool ever_helped(const PublicKey& key) const;
  // Proofs of any key that the relay took on this connection.
  uint32_t proofs() const { return taken_; }

 private:
  struct Proof {
    State state = State::unproved;
    EventId sent;
    std::string sent_for;  // the challenge
    bool taken = false;    // by the relay, on this connection
    bool helped = false;   // the relay served something since
    bool ever_helped = false;
    uint32_t asked = 0;  // how often the signer was, of late
    Instant asked_at;
  };

  std::optional<Sign> ask(const PublicKey& key, Proof& proof, Instant now);

  // constant after construction
  const std::vector<PublicKey> keys_;

  std::string challenge_;
  std::map<PublicKey, Proof> proofs_;
  uint32_t taken_ = 0;
};

}  // namespace ipnscast::nostr
