#include "nostr/relay_auth.h"

#include <algorithm>

namespace ipnscast::nostr {

void RelayAuth::reset() {
  challenge_.clear();
  proofs_.clear();
}

std::vector<RelayAuth::Sign> RelayAuth::challenged(std::string challenge) {
  const bool repeated = challenge == challenge_;
  challenge_ = std::move(challenge);
  std::vector<Sign> out;
  for (auto& [key, proof] : proofs_) {
    if (proof.state == State::wanted) {
      proof.state = State::signing;
      out.push_back({key, challenge_});
    } else if (proof.state == State::sent && repeated) {
      continue;                                  // its answer is on the way
    } else if (proof.state != State::signing) {  // which notices the change in signed_by()
      proof.state = State::unproved;             // proved again when the relay asks again
    }
  }
  return out;
}

std::optional<RelayAuth::Sign> RelayAuth::want(const PublicKey& key) {
  Proof& proof = proofs_[key];
  if (proof.state != State::unproved) return std::nullopt;
  proof.state = challenge_.empty() ? State::wanted : State::signing;
  if (proof.state == State::wanted) return std::nullopt;  // refused before the challenge came
  return Sign{key, challenge_};
}

RelayAuth::Signed RelayAuth::signed_by(const PublicKey& key, Result<Event> event) {
  Signed out;
  Proof& proof = proofs_[key];
  if (proof.state != State::signing) return out;
  if (!event) {
    proof.state = State::refused;
    out.over = Answer{key, false};
  } else if (event->tag("challenge") != challenge_) {
    out.again = Sign{key, challenge_};
  } else {
    proof.state = State::sent;
    proof.sent = event->id;
    out.send = std::move(*event);
  }
  return out;
}

void RelayAuth::no_answer(const PublicKey& key) {
  Proof& proof = proofs_[key];
  if (proof.state == State::wanted || proof.state == State::sent) proof.state = State::unanswered;
}

void RelayAuth::once_more(const PublicKey& key) {
  const auto found = proofs_.find(key);
  if (found != proofs_.end() && found->second.state == State::unanswered)
    found->second.state = State::unproved;
}

std::optional<RelayAuth::Answer> RelayAuth::ok(const EventId& id, bool accepted) {
  for (auto& [key, proof] : proofs_) {
    const bool waits = proof.state == State::sent || proof.state == State::unanswered;
    if (!waits || proof.sent != id) continue;
    proof.state = accepted ? State::proved : State::refused;
    return Answer{key, accepted};
  }
  return std::nullopt;
}

std::vector<PublicKey> RelayAuth::useful_for(const std::vector<PublicKey>& authors) const {
  std::vector<PublicKey> out;
  for (const PublicKey& key : keys_) {
    if (std::find(authors.begin(), authors.end(), key) != authors.end()) out.push_back(key);
  }
  if (out.empty() && !keys_.empty()) out.push_back(keys_.front());
  return out;
}

bool RelayAuth::holds(const PublicKey& key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

RelayAuth::State RelayAuth::state(const PublicKey& key) const {
  const auto found = proofs_.find(key);
  return found == proofs_.end() ? State::unproved : found->second.state;
}

}  // namespace ipnscast::nostr
