// The publisher's hints: their times, signatures and way into the outbox.
#include "nostr/base/log.h"
#include "sync/publish_progress.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kSignTimeout{45'000};  // a remote signer says itself when it gives up

}  // namespace

Result<std::vector<Publisher::SignedHint>> Publisher::sign_hints(const Announcement& what) {
  std::vector<SignedHint> out;
  if (!parts_.outbox || !parts_.signer) return out;
  for (const int kind : options_.kinds) {
    const nostr::Address address{kind, parts_.signer->public_key(), hint_d(what.name)};
    const Now now = system_now();
    CreatedAt time;
    {
      std::lock_guard lock(marks_mutex_);
      time = marks_.take(address, now.seconds());
    }
    if (time.advice == CreatedAt::Advice::delete_first) {
      return fail(
          Errc::conflict,
          "the latest hint of this name lies too far in the future for relays to take another");
    }
    HintDraft draft{what.name, what.cid, what.sequence, now.wall};
    draft.version = what.version;
    draft.device_id = options_.device_id;
    draft.parent = what.parent;
    draft.record = what.record;
    draft.kind = kind;
    draft.topic = options_.topic;
    auto unsigned_event = make_hint_event(draft, time.value);
    if (!unsigned_event) return fail(unsigned_event.error());
    auto event = nostr::sign_blocking(*parts_.signer, std::move(*unsigned_event), kSignTimeout);
    if (!event) return fail(event.error().within("signing the hint"));
    out.push_back({std::move(*event), address});
  }
  return out;
}

void Publisher::send_hints(const std::vector<SignedHint>& hints,
                           const std::shared_ptr<Progress>& progress) {
  progress->expect(hints.size());
  for (const SignedHint& hint : hints) {
    parts_.outbox->committed(
        {hint.event, options_.relays}, nostr::Quorum{options_.quorum, false, {}},
        [progress](const nostr::PublishReport& report) { progress->hint_reported(report); });
  }
}

void Publisher::learn(const nostr::Event& event) {
  const auto address = nostr::address_of(event);
  if (!address) return;
  {
    std::lock_guard lock(marks_mutex_);
    if (!marks_.learn(*address, event.created_at, system_now().seconds())) return;
  }
  parts_.writer.submit([address = *address, mark = event.created_at](
                           store::Database& db) { return save_created_at(db, address, mark); },
                       [](const Status&) {});
}

}  // namespace ipnscast::sync
