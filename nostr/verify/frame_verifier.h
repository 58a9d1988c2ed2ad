#pragma once

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/event/slices.h"
#include "ipnscast/nostr/verify/key_cache.h"
#include "ipnscast/nostr/verify/verified_set.h"

namespace ipnscast::nostr {

struct EventFrame;

// What a verification worker found out about one frame of a relay.
enum class Verdict {
  other,          // no event: OK, EOSE, ... as parsed
  verified,       // an event whose id and signature were computed and hold
  known,          // the same, its signature having been verified in an earlier copy
  duplicate,      // a copy of an event verified before, told by its text or its hash; not parsed
  skipped,        // the subscriber's rule said that it does not matter; nothing is known about it
  bad_id,         // the id is not the event's
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
  size_t bytes = 0;  // of the frame
  // Why, for the bad ones.
  Error error;
};

// Turns frames into verified messages: size, duplicate, strict parse, id, signature, in this order.
// Never remembers a failure. Pure; owned by one thread, while the VerifiedSet may serve several and
// outlives it.
//
// A duplicate comes without its event. A pool that has not yet handed this id to that subscription
// parses the frame with parse_relay_message(); the event needs no further check.
class FrameVerifier {
 public:
  explicit FrameVerifier(VerifiedSet& verified, MessageLimits limits = {})
      : verified_(verified), limits_(limits) {}

  CheckedFrame check(std::string_view frame);

  // The same in two steps, for a caller that may do without some signatures: open() does all but
  // the signature, and settle() that. In between, `frame` has its message and no verdict.
  struct Opened {
    CheckedFrame frame;
    bool lacks_signature = false;
    bool is_new = false;  // nothing was known of this event a moment ago
  };
  Opened open(std::string_view frame);
  void settle(CheckedFrame& frame);

  // Signatures verified so far, good and bad.
  uint64_t signatures() const { return signatures_; }

 private:
  std::optional<EventSlices> find_copy(const EventFrame& frame, Opened& out);
  bool is_copy(const EventSlices& slices, const EventId& id, const Signature& known) const;
  void verify(CheckedFrame& frame);
  void open_event(const std::optional<EventSlices>& slices, Opened& out) const;

  VerifiedSet& verified_;
  KeyCache keys_;
  SliceBuffers buffers_;
  uint64_t signatures_ = 0;
  // constant after construction
  const MessageLimits limits_;
};

}  // namespace ipnscast::nostr
