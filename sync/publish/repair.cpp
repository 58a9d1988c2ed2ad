// What the publisher does when a relay prefers another event at one of its addresses.
#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/hint/hint_repair.h"
#include "ipnscast/sync/publish/writing.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/retracted_names.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kRepairTimeout{10'000};
constexpr Milliseconds kReadTimeout{45'000};  // a remote signer says itself when it gives up

}  // namespace

void Publisher::superseded(const nostr::Event& ours, const nostr::Event& newer) {
  if (!parts_.signer || newer.pubkey != parts_.signer->public_key()) return;
  learn(newer);
  const Result<Hint> hint = read_own(ours, kReadTimeout);
  const Result<Hint> other = read_own(newer, kReadTimeout);
  if (hint && other && !other->record.empty()) {
    if (const auto record = sound_record(hint->name, other->record))
      writers_.saw(hint->name, known_record(*record), "");
  }
  if (!hint) return;
  // What was displaced meanwhile is not brought back.
  const auto truth = writers_.truth(hint->name);
  if (truth && !hint->record.empty() && truth->record.bytes != hint->record) return;
  // Of two values under one sequence ours is the better one, and where nobody shows it, its rival's
  // writer would take himself for the only one.
  const bool loses = truth && other && !other->record.empty() && is_rival(*hint, *other);
  if (!hides(hint, other) && !loses) return;
  if (auto repaired = sign_above(hint->name, ours, newer); !repaired) {
    log_error("publisher",
              "a relay has a newer event with an older state of ours, and it could not "
              "be replaced: " +
                  repaired.error().message);
  }
}

// Places are brought the record by read repair; relays by a new hint, which is later than the
// other.
void Publisher::perform(const IpnsName& name, writer_action::SendAgain& action) {
  const bool at_relay =
      std::any_of(options_.relays.begin(), options_.relays.end(),
                  [&](const nostr::RelayUrl& relay) { return relay.text() == action.place; });
  const auto record = sound_record(name, action.seen.record.bytes);
  const auto root = root_of(action.seen.record.value);
  if (!at_relay || !record || !root) return;
  uint64_t version = 0;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    const auto own = load_own_name(db, name);
    if (!own) return fail(own.error());
    if (*own) version = (*own)->version;
    return {};
  });
  const auto owed = [&] {
    const auto now = writing(name);
    std::lock_guard lock(now->mutex);
    return now->owed == action.seen.record.bytes;
  };
  const auto sent = [&]() -> Status {
    if (!read) return read;
    auto hints =
        sign_hints({name, *root, record->fields().sequence, record->bytes(), version, {}}, false);
    if (!hints) return fail(hints.error());
    if (!owed()) return fail(Errc::refused, "something newer goes there");
    if (auto done = commit({.hints = *hints, .unless_retracted = name}); !done) return done;
    send_hints(name, record, *hints, std::make_shared<Progress>());
    return {};
  }();
  if (!sent && sent.error().code != Errc::refused)
    log_warning("publisher", action.place + " shows an older state of " + name.to_string() +
                                 ", and is not told again: " + sent.error().message);
}

// Our hint again, one second above the other. One that lies too far ahead of the clock for that is
// deleted by its id first.
Status Publisher::sign_above(const IpnsName& name, const nostr::Event& ours,
                             const nostr::Event& newer) {
  const auto address = nostr::address_of(ours);
  if (!address) return {};
  bool retracted = false;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    const auto found = is_retracted(db, name);
    if (!found) return fail(found.error());
    retracted = *found;
    return {};
  });
  if (!read || retracted) return read;
  std::vector<SignedHint> events;
  bool delete_first = false;
  {
    std::lock_guard lock(marks_mutex_);
    delete_first = marks_.ahead_of_limit(newer.created_at, system_now().seconds());
  }
  auto time = take_time(*address, false);
  if (!time) return fail(time.error());
  const auto sign = [&](nostr::UnsignedEvent event) -> Result<nostr::Event> {
    return nostr::sign_blocking(*parts_.signer, std::move(event), kRepairTimeout);
  };
  if (delete_first) {
    if (!retracted_.insert(newer.id)) {
      return fail(Errc::refused, "it lies in the future, and the relay did not delete it");
    }
    auto deletion = sign(deletion_of(newer, system_now().seconds()));
    if (!deletion) return fail(deletion.error());
    const Status added = parts_.writer.run([&](store::Database& db) {
      return nostr::outbox_add(db, *deletion, options_.relays, options_.outbox);
    });
    if (!added) return added;
    parts_.outbox->committed({std::move(*deletion), options_.relays}, {}, nullptr);
  }
  auto event = sign({time->value, ours.kind, ours.tags, ours.content});
  if (!event) return fail(event.error());
  events.push_back({std::move(*event), *address, std::move(*time)});
  if (auto committed = commit({.hints = events, .unless_retracted = name}); !committed)
    return committed;
  log_info("publisher", "signed again above a newer event with an older state");
  if (auto& deletion = events.front().time.deletion)
    parts_.outbox->committed({std::move(*deletion), options_.relays}, {}, nullptr);
  parts_.outbox->committed({std::move(events.front().event), options_.relays}, {}, nullptr);
  return {};
}

}  // namespace ipnscast::sync
