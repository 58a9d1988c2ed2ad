#pragma once

#include <functional>

#include "nostr/message.h"
#include "nostr/verified_set.h"

namespace ipnscast::nostr {

// What a verification worker found out about one frame of a relay.
enum class Verdict {
  other,      // no event: OK, EOSE, ... as parsed
  verified,   // an event whose id and signature were computed and hold
  known,      // the same, its signature having been verified in an earlier copy
  duplicate,  // byte for byte a copy seen before of an event verified before; not parsed
  skipped,  // the caller's rule said that its signature does not matter; nothing is known about it
  bad_id,   // the id is not the event's
  bad_signature,  // the signature does not hold
  malformed,      // breaks NIP-01's shape
  too_large,      // beyond a bound
};
std::string_view to_string(Verdict verdict);

struct CheckedFrame {
  Verdict verdict = Verdict::malformed;
  // For other, verified and known only.
  std::optional<RelayMessage> message;
  // Of an event, where they could be read. For verified, known and duplicate they are true; for the
  // rest only claimed.
  SubscriptionId subscription;
  EventId id;
  UnixSeconds created_at;
  // Why, for the bad ones.
  Error error;
};

// Turns frames into verified messages: size, exact duplicate, strict parse, id, signature, in this
// order. Never remembers a failure. Pure; owned by one thread, while the VerifiedSet may serve
// several and outlives it.
//
// A duplicate comes without its event. A pool that has not yet handed this id to that subscription
// parses the frame with parse_relay_message(); the event needs no further check.
class FrameVerifier {
 public:
  // True when the event's signature need not be verified, as it could change nothing even if it
  // held.
  using SkipRule = std::function<bool(const SubscriptionId&, const Event&)>;

  explicit FrameVerifier(VerifiedSet& verified, MessageLimits limits = {}, SkipRule skip = nullptr)
      : verified_(verified), limits_(limits), skip_(std::move(skip)) {}

  CheckedFrame check(std::string_view frame) const;

 private:
  void check_event(std::string_view text, const EventMessage& message, CheckedFrame& out) const;

  VerifiedSet& verified_;
  // constant after construction
  const MessageLimits limits_;
  const SkipRule skip_;
};

}  // namespace ipnscast::nostr
