#include "ipnscast/nostr/verify/frame_verifier.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/frame.h"

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
  if (out.lacks_signature && out.is_new) {
    verify(out.frame);
  } else if (out.lacks_signature) {
    settle(out.frame);
  }
  return std::move(out.frame);
}

FrameVerifier::Opened FrameVerifier::open(std::string_view frame) {
  Opened out;
  out.frame.bytes = frame.size();
  if (frame.size() > limits_.max_bytes) {
    out.frame.verdict = Verdict::too_large;
    out.frame.error = {Errc::too_large, "frame: too large"};
    return out;
  }
  std::optional<EventSlices> slices;
  const auto plain = find_event(frame);
  if (plain) {
    slices = find_copy(*plain, out);
    if (out.frame.verdict == Verdict::duplicate) return out;
  }
  auto message = parse_relay_message(frame, limits_);
  if (!message) {
    out.frame.verdict =
        message.error().code == Errc::too_large ? Verdict::too_large : Verdict::malformed;
    out.frame.error = std::move(message.error());
    if (plain) out.frame.subscription = plain->subscription;
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

// Sets the verdict when the frame holds a copy of an event that was verified, with the signature
// that held; otherwise gives the event's slices, if it can be sliced.
std::optional<EventSlices> FrameVerifier::find_copy(const EventFrame& frame, Opened& out) {
  std::optional<EventSlices> slices;
  std::string_view digits = guess_id(frame.event);
  if (digits.empty() && (slices = slice_event(frame.event, buffers_))) digits = slices->id;
  EventId id;
  const bool has_id = read_lower_hex(digits, id.bytes);
  const auto known = has_id ? verified_.find(id, frame.event) : std::nullopt;
  const bool same_text = known && known->same_text;
  if (!same_text && !slices) slices = slice_event(frame.event, buffers_);
  out.is_new = has_id && !known;
  if (!same_text) {
    // Most events are new: those cost this look-up alone.
    if (!known || !slices || slices->id != digits || !is_copy(*slices, id, known->sig))
      return slices;
    verified_.keep_text(id, frame.event);
  }
  out.frame.verdict = Verdict::duplicate;
  out.frame.id = id;
  out.frame.created_at = known->created_at;
  out.frame.subscription = frame.subscription;
  return std::nullopt;
}

bool FrameVerifier::is_copy(const EventSlices& slices, const EventId& id,
                            const Signature& known) const {
  Signature sig;
  return read_lower_hex(slices.sig, sig.bytes) && sig == known && compute_id(slices) == id;
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
  verify(frame);
}

void FrameVerifier::verify(CheckedFrame& frame) {
  const Event& event = std::get<EventMessage>(*frame.message).event;
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
