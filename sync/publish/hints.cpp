// The publisher's hints: their times, signatures and way into the outbox.
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/hint/hint_repair.h"
#include "ipnscast/sync/publish/progress.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostFromFuture = 1'000;

}  // namespace

// What cannot be announced as it was asked for is refused before anything is sent or committed.
Status Publisher::check_name(const IpnsName& name) const {
  if (!options_.private_hints || !parts_.signer) return {};
  return check_can_be_private(name, parts_.signer->public_key());
}

nostr::Address Publisher::address_of(int kind, const IpnsName& name) const {
  return {kind, parts_.signer->public_key(),
          options_.private_hints ? options_.private_names->d_of(name) : hint_d(name)};
}

Result<nostr::UnsignedEvent> Publisher::make_event(const HintDraft& draft,
                                                   const nostr::Address& address,
                                                   UnixSeconds created_at) {
  if (!options_.private_hints) return make_hint_event(draft, created_at);
  auto text = make_hint_text(draft);
  if (!text) return fail(text.error());
  auto payload =
      nostr::nip44_encrypt_blocking(*parts_.signer, std::move(*text), address.pubkey, kSignTimeout);
  if (!payload) return fail(payload.error());
  return make_private_hint_event(address.d, std::move(*payload), draft.kind, created_at);
}

// A hint of our own key, plain or private.
Result<Hint> Publisher::read_own(const nostr::Event& event, Milliseconds timeout) {
  if (!options_.private_names || !is_private_hint(event, parts_.signer->public_key()))
    return parse_hint(event);
  auto text = nostr::nip44_decrypt_blocking(*parts_.signer, event.content, event.pubkey, timeout);
  if (!text) return fail(text.error());
  return parse_private_hint(event, *text, *options_.private_names);
}

Result<std::vector<Publisher::SignedHint>> Publisher::sign_hints(const Announcement& what,
                                                                 bool trusts_clock) {
  std::vector<SignedHint> out;
  if (!parts_.outbox || !parts_.signer) return out;
  for (const int kind : options_.kinds) {
    const nostr::Address address = address_of(kind, what.name);
    auto time = take_time(address, trusts_clock);
    if (!time) return fail(time.error());
    const Now now = system_now();
    HintDraft draft{what.name, what.cid, what.sequence, now.wall};
    draft.version = what.version;
    draft.device_id = options_.identity->id();
    draft.parent = what.parent;
    draft.record = what.record;
    draft.kind = kind;
    draft.topic = options_.topic;
    auto unsigned_event = make_event(draft, address, time->value);
    if (!unsigned_event) return fail(unsigned_event.error());
    auto event = nostr::sign_blocking(*parts_.signer, std::move(*unsigned_event), kSignTimeout);
    if (!event) return fail(event.error().within("signing the hint"));
    out.push_back({std::move(*event), address, std::move(*time)});
  }
  return out;
}

// DESIGN, "created_at": an own event further in the future than relays take is deleted by its id.
// R36: unless it is this machine's clock that is wrong, and the event a good one.
Result<Publisher::HintTime> Publisher::take_time(const nostr::Address& address, bool trusts_clock) {
  const UnixSeconds now = system_now().seconds();
  HintTime out;
  {
    std::lock_guard lock(marks_mutex_);
    const CreatedAt given = marks_.take(address, now);
    if (given.advice != CreatedAt::Advice::delete_first) return HintTime{given.value};
    out = {now, marks_.mark(address), marks_.limit(now), std::nullopt};
  }
  if (const Status clock = trusts_clock ? Status() : judge_mark(*out.wrong_mark); !clock)
    return fail(clock.error());
  SentAround sent;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto found = load_sent_around(db, address, out.limit);
    if (!found) return fail(found.error());
    sent = std::move(*found);
    return {};
  });
  if (!read) return fail(read.error());
  if (!sent.after.empty()) {
    auto deletion = nostr::sign_blocking(*parts_.signer, deletion_of(sent.after, address.kind, now),
                                         kSignTimeout);
    if (!deletion) return fail(deletion.error().within("signing a deletion"));
    out.deletion = std::move(*deletion);
  }
  log_warning("publisher", "our last hint lies in the future, from a clock that was wrong: " +
                               std::to_string(sent.after.size()) + " events are deleted");
  std::lock_guard lock(marks_mutex_);
  marks_.reset(address);
  if (sent.last) marks_.restore(address, *sent.last);
  out.value = marks_.take(address, now).value;
  return out;
}

// In the job that commits what it announces.
Status Publisher::save_hint(store::Database& db, const SignedHint& hint) const {
  const auto& event = hint.event;
  const auto& time = hint.time;
  if (time.wrong_mark) {
    if (auto gone = forget_future(db, hint.address, time.limit); !gone) return gone;
  }
  if (time.deletion) {
    auto added = nostr::outbox_add(db, *time.deletion, options_.relays, options_.outbox);
    if (!added) return added;
  }
  if (auto saved = save_created_at(db, hint.address, event.created_at); !saved) return saved;
  if (auto saved = save_sent(db, event.id, hint.address, event.created_at); !saved) return saved;
  return nostr::outbox_add(db, event, options_.relays, options_.outbox);
}

void Publisher::send_hints(const IpnsName& name, const std::optional<IpnsRecord>& record,
                           const std::vector<SignedHint>& hints,
                           const std::shared_ptr<Progress>& progress) {
  progress->expect_hints(hints.size(), options_.relays);
  for (const SignedHint& hint : hints) {
    if (hint.time.deletion)
      parts_.outbox->committed({*hint.time.deletion, options_.relays}, {}, nullptr);
    parts_.outbox->committed({hint.event, options_.relays}, options_.quorum,
                             [this, name, record, progress](const nostr::PublishReport& report) {
                               for (const auto& [url, outcome] : report.relays) {
                                 if (record && outcome.stored()) shows(name, *record, url.text());
                               }
                               progress->hint_reported(report);
                             });
  }
}

void Publisher::learn(const nostr::Event& event) {
  const auto address = nostr::address_of(event);
  if (!address) return;
  {
    std::lock_guard lock(marks_mutex_);
    const UnixSeconds now = system_now().seconds();
    if (marks_.ahead_of_limit(event.created_at, now) && from_future_.size() < kMostFromFuture) {
      UnixSeconds& known = from_future_[*address];
      known = std::max(known, event.created_at);
    }
    if (!marks_.learn(*address, event.created_at, now)) return;
  }
  parts_.writer.submit([address = *address, mark = event.created_at](
                           store::Database& db) { return save_created_at(db, address, mark); },
                       [](const Status&) {});
}

}  // namespace ipnscast::sync
