#include "ipnscast/sync/engine/silence.h"

namespace ipnscast::sync {

void Silence::connected(bool any, Instant now) {
  connected_ = any;
  look(now);
}

void Silence::asked(bool answered, Instant now) {
  answered_ = answered;
  look(now);
}

void Silence::look(Instant now) {
  if (connected_ || answered_)
    since_.reset();
  else if (!since_)
    since_ = now;
}

std::optional<Milliseconds> Silence::lasts(Instant now) const {
  if (!since_) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(now - *since_);
}

std::optional<Silence::Word> Silence::word(Instant now) {
  if (said_since_ && !since_) {
    const auto lasted = std::chrono::duration_cast<Milliseconds>(now - *said_since_);
    said_since_.reset();
    return Word{true, lasted};
  }
  if (said_since_ || !since_ || now < *since_ + kAfter) return std::nullopt;
  said_since_ = since_;
  return Word{false, std::chrono::duration_cast<Milliseconds>(now - *since_)};
}

std::optional<Instant> Silence::next() const {
  if (!since_ || said_since_) return std::nullopt;
  return *since_ + kAfter;
}

}  // namespace ipnscast::sync
