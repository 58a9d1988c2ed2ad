#include "nostr/frame_verifier.h"

#include "nostr/base/hex.h"
#include "nostr/event_frame.h"

namespace ipnscast::nostr {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::other:
      return "other";
    case Verdict::verified:
      return "verified";
    case Verdict::known:
      return "known";
    case Verdict::duplicate:
      return "duplicate";
    case Verdict::skipped:
      return "skipped";
    case Verdict::bad_id:
      return "bad-id";
    case Verdict::bad_signature:
      return "bad-signature";
    case Verdict::malformed:
      return "malformed";
    case Verdict::too_large:
      return "too-large";
  }
  return "malformed";
}

CheckedFrame FrameVerifier::check(std::string_view frame) {
  Opened out = open(frame);
  if (out.lacks_signature) settle(out.frame);
  return std::move(out.frame);
}

FrameVerifier::Opened FrameVerifier::open(std::string_view frame) {
  Opened out;
  if (frame.size() > limits_.max_bytes) {
    out.frame.verdict = Verdict::too_large;
    out.frame.error = {Errc::too_large, "frame: too large"};
    return out;
  }
  std::optional<EventSlices> slices;
  if (const auto plain = find_event(frame)) {
    slices = slice_event(plain->event, buffers_);
    if (slices && find_copy(*slices, out.frame)) {
      out.frame.subscription = plain->subscription;
      return out;
    }
  }
  auto message = parse_relay_message(frame, limits_);
  if (!message) {
    out.frame.verdict =
        message.error().code == Errc::too_large ? Verdict::too_large : Verdict::malformed;
    out.frame.error = std::move(message.error());
    return out;
  }
  out.frame.message = std::move(*message);
  if (std::holds_alternative<EventMessage>(*out.frame.message)) {
    open_event(slices, out);
  } else {
    out.frame.verdict = Verdict::other;
  }
  return out;
}

// True when the slices spell an event that was verified, with the signature that held.
bool FrameVerifier::find_copy(const EventSlices& slices, CheckedFrame& out) const {
  EventId claimed;
  if (!read_lower_hex(slices.id, claimed.bytes)) return false;
  // Most events are new: those cost this look-up alone.
  const auto known = verified_.find(claimed);
  Signature sig;
  if (!known || !read_lower_hex(slices.sig, sig.bytes) || sig != known->sig) return false;
  if (compute_id(slices) != claimed) return false;
  out.verdict = Verdict::duplicate;
  out.id = claimed;
  out.created_at = known->created_at;
  return true;
}

void FrameVerifier::open_event(const std::optional<EventSlices>& slices, Opened& out) const {
  CheckedFrame& frame = out.frame;
  const auto& [subscription, event] = std::get<EventMessage>(*frame.message);
  frame.subscription = subscription;
  frame.id = event.id;
  frame.created_at = event.created_at;
  if ((slices ? compute_id(*slices) : compute_id(event)) == event.id) {
    out.lacks_signature = true;
    return;
  }
  frame.message.reset();
  frame.verdict = Verdict::bad_id;
  frame.error = {Errc::signature, "id: does not match the event"};
}

void FrameVerifier::settle(CheckedFrame& frame) {
  const Event& event = std::get<EventMessage>(*frame.message).event;
  if (verified_.holds(event.id, event.sig)) {
    frame.verdict = Verdict::known;
    return;
  }
  ++signatures_;
  if (keys_.verify(event.pubkey, event.id.view(), event.sig)) {
    verified_.remember(event);
    frame.verdict = Verdict::verified;
  } else {
    frame.message.reset();
    frame.verdict = Verdict::bad_signature;
    frame.error = {Errc::signature, "sig: does not hold for this key and id"};
  }
}

}  // namespace ipnscast::nostr
