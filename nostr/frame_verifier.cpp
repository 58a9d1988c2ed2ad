#include "nostr/frame_verifier.h"

#include "nostr/event_frame.h"
#include "nostr/keys.h"

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

CheckedFrame FrameVerifier::check(std::string_view frame) const {
  CheckedFrame out;
  if (frame.size() > limits_.max_bytes) {
    out.verdict = Verdict::too_large;
    out.error = {Errc::too_large, "frame: too large"};
    return out;
  }
  // The bytes between the braces stand for one event whatever surrounds them, as find_event() wants
  // the plain form.
  const auto plain = find_event(frame);
  std::optional<VerifiedSet::Fingerprint> fingerprint;
  if (plain) {
    fingerprint = verified_.fingerprint(plain->event);
    if (const auto seen = verified_.find(*fingerprint)) {
      out.verdict = Verdict::duplicate;
      out.subscription = plain->subscription;
      out.id = seen->id;
      out.created_at = seen->created_at;
      return out;
    }
  }
  auto message = parse_relay_message(frame, limits_);
  if (!message) {
    out.verdict = message.error().code == Errc::too_large ? Verdict::too_large : Verdict::malformed;
    out.error = std::move(message.error());
    return out;
  }
  auto* const event = std::get_if<EventMessage>(&*message);
  if (event == nullptr) {
    out.verdict = Verdict::other;
  } else {
    check_event(fingerprint, *event, out);
  }
  const bool good = out.verdict == Verdict::other || out.verdict == Verdict::verified ||
                    out.verdict == Verdict::known;
  if (good) out.message = std::move(*message);
  return out;
}

void FrameVerifier::check_event(const std::optional<VerifiedSet::Fingerprint>& fingerprint,
                                const EventMessage& message, CheckedFrame& out) const {
  const Event& event = message.event;
  out.subscription = message.subscription;
  out.id = event.id;
  out.created_at = event.created_at;
  if (compute_id(event) != event.id) {
    out.verdict = Verdict::bad_id;
    out.error = {Errc::signature, "id: does not match the event"};
  } else if (verified_.holds(event.id, event.sig)) {
    out.verdict = Verdict::known;
  } else if (skip_ && skip_(message.subscription, event)) {
    out.verdict = Verdict::skipped;
  } else if (verify_schnorr(event.pubkey, event.id.view(), event.sig)) {
    out.verdict = Verdict::verified;
  } else {
    out.verdict = Verdict::bad_signature;
    out.error = {Errc::signature, "sig: does not hold for this key and id"};
  }
  const bool holds = out.verdict == Verdict::verified || out.verdict == Verdict::known;
  if (holds && fingerprint) verified_.remember(*fingerprint, event);
}

}  // namespace ipnscast::nostr
