#include "ipnscast/nostr/relay/auth.h"

#include <algorithm>

namespace ipnscast::nostr {

namespace {

constexpr uint32_t kAtOnce = 2;  // signatures before the first pause
constexpr Milliseconds kFirstPause{1'000};
constexpr Milliseconds kLongestPause{3'600'000};
constexpr Milliseconds kRefusedPause{300'000};
constexpr Milliseconds kQuiet{600'000};  // after so long without a signature the count begins anew

Milliseconds pause_after(uint32_t asked) {
  if (asked < kAtOnce) return Milliseconds(0);
  constexpr uint32_t kMostDoublings = 12;
  const uint32_t doublings = std::min(asked - kAtOnce, kMostDoublings);
  return std::min(kFirstPause * (int64_t{1} << doublings), kLongestPause);
}

}  // namespace

void RelayAuth::reset() {
  challenge_.clear();
  taken_ = 0;
  for (auto& [key, proof] : proofs_) {
    Proof next;
    if (!proof.ever_helped) {
      next.asked = proof.asked;
      next.asked_at = proof.asked_at;
    }
    proof = next;
  }
}

std::optional<RelayAuth::Sign> RelayAuth::ask(const PublicKey& key, Proof& proof, Instant now) {
  const Milliseconds pause = pause_after(proof.asked);
  if (now - proof.asked_at >= std::max(kQuiet, 2 * pause)) {
    proof.asked = 0;
  } else if (proof.asked_at + pause > now) {
    proof.state = State::paused;
    return std::nullopt;
  }
  proof.state = State::signing;
  proof.asked_at = now;
  ++proof.asked;
  return Sign{key, challenge_};
}

std::vector<RelayAuth::Sign> RelayAuth::challenged(std::string challenge, Instant now) {
  std::vector<Sign> out;
  const bool repeated = challenge == challenge_;
  challenge_ = std::move(challenge);
  for (auto& [key, proof] : proofs_) {
    const bool ended = proof.state == State::proved && proof.helped;
    if (repeated && proof.state != State::wanted && !ended) continue;
    if (proof.state == State::wanted || proof.state == State::sent) {
      if (auto sign = ask(key, proof, now)) out.push_back(std::move(*sign));
    } else if (proof.state != State::signing && proof.state != State::paused) {
      proof.state = State::unproved;  // proved again when the relay asks again
    }                                 // the others notice the change when they are signed
  }
  return out;
}

std::optional<RelayAuth::Sign> RelayAuth::want(const PublicKey& key, Instant now) {
  Proof& proof = proofs_[key];
  if (proof.state != State::unproved) return std::nullopt;
  if (!challenge_.empty()) return ask(key, proof, now);
  proof.state = State::wanted;  // refused before the challenge came
  return std::nullopt;
}

std::vector<RelayAuth::Sign> RelayAuth::due(Instant now) {
  std::vector<Sign> out;
  for (auto& [key, proof] : proofs_) {
    if (proof.state != State::paused) continue;
    if (auto sign = ask(key, proof, now)) out.push_back(std::move(*sign));
  }
  return out;
}

std::optional<Instant> RelayAuth::next_due() const {
  std::optional<Instant> out;
  for (const auto& [key, proof] : proofs_) {
    if (proof.state != State::paused) continue;
    const Instant at = proof.asked_at + pause_after(proof.asked);
    if (!out || at < *out) out = at;
  }
  return out;
}

RelayAuth::Signed RelayAuth::signed_by(const PublicKey& key, Result<Event> event, Instant now) {
  Signed out;
  Proof& proof = proofs_[key];
  if (proof.state != State::signing) return out;
  if (!event) {
    proof.state = State::refused;
    out.over = Answer{key, false};
  } else if (event->tag("challenge") != challenge_) {
    out.again = ask(key, proof, now);
  } else {
    proof.state = State::sent;
    proof.sent = event->id;
    proof.sent_for = challenge_;
    out.send = std::move(*event);
  }
  return out;
}

void RelayAuth::no_answer(const PublicKey& key) {
  Proof& proof = proofs_[key];
  if (proof.state == State::wanted || proof.state == State::sent) proof.state = State::unanswered;
}

void RelayAuth::once_more(const PublicKey& key, Instant now) {
  const auto found = proofs_.find(key);
  if (found == proofs_.end()) return;
  Proof& proof = found->second;
  const bool forgiven = proof.state == State::refused && now - proof.asked_at >= kRefusedPause;
  if (proof.state == State::unanswered || forgiven) proof.state = State::unproved;
}

// A refusal of what was signed for an earlier challenge says nothing; that it was taken does.
std::optional<RelayAuth::Answer> RelayAuth::ok(const EventId& id, bool accepted) {
  for (auto& [key, proof] : proofs_) {
    if (proof.sent_for.empty() || proof.sent != id) continue;
    if (!accepted && proof.sent_for != challenge_) return std::nullopt;
    proof.sent_for.clear();
    proof.state = accepted ? State::proved : State::refused;
    if (accepted) {
      proof.taken = true;
      proof.helped = false;
      ++taken_;
    }
    return Answer{key, accepted};
  }
  return std::nullopt;
}

void RelayAuth::served() {
  for (auto& [key, proof] : proofs_) {
    proof.helped = proof.taken;
    proof.ever_helped = proof.ever_helped || proof.taken;
  }
}

void RelayAuth::lapsed(const PublicKey& key) {
  const auto found = proofs_.find(key);
  if (found == proofs_.end()) return;
  Proof& proof = found->second;
  if (proof.state != State::proved || !proof.helped) return;
  proof.state = State::wanted;
  proof.helped = false;
}

bool RelayAuth::over(const PublicKey& key) const {
  const auto found = proofs_.find(key);
  if (found == proofs_.end()) return false;
  const Proof& proof = found->second;
  return proof.state >= State::unanswered ||
         (proof.state == State::unproved && proof.taken && !proof.helped);
}

bool RelayAuth::was_proved(const PublicKey& key) const {
  const auto found = proofs_.find(key);
  return found != proofs_.end() && found->second.taken;
}

bool RelayAuth::ever_helped(const PublicKey& key) const {
  const auto found = proofs_.find(key);
  return found != proofs_.end() && found->second.ever_helped;
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
