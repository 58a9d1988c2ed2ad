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
  if (plain && plain->claimed_id) {
    if (const auto created_at = verified_.find_text(*plain->claimed_id, plain->event)) {
      out.verdict = Verdict::duplicate;
      out.subscription = plain->subscription;
      out.id = *plain->claimed_id;
      out.created_at = *created_at;
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
    check_event(plain ? plain->event : std::string_view(), *event, out);
  }
  const bool good = out.verdict == Verdict::other || out.verdict == Verdict::verified ||
                    out.verdict == Verdict::known;
  if (good) out.message = std::move(*message);
  return out;
}

void FrameVerifier::check_event(std::string_view text, const EventMessage& message,
                                CheckedFrame& out) const {
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
  // The text is hashed from the second copy on: most events come once, and then the hash would be
  // for nothing.
  if (out.verdict == Verdict::verified) verified_.remember(event);
  if (out.verdict == Verdict::known && !text.empty()) verified_.remember_text(event.id, text);
}

}  // namespace ipnscast::nostr
