// The publisher's hints taken back.
#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/hint/hint_repair.h"
#include "ipnscast/sync/publish/progress.h"
#include "ipnscast/sync/state/retracted_names.h"

namespace ipnscast::sync {
// Where hints of this name go now, and where earlier settings put them. A plain one is named only
// when there was one: with private hints, relays do not know the name.
std::vector<nostr::Address> Publisher::used_addresses(const IpnsName& name) {
  const nostr::PublicKey& own = parts_.signer->public_key();
  std::set<int> kinds(options_.kinds.begin(), options_.kinds.end());
  kinds.insert({kHintKind, kPublicHintKind});
  std::vector<std::string> names{hint_d(name)};
  if (options_.private_names) names.push_back(options_.private_names->d_of(name));
  std::vector<nostr::Address> out;
  for (const int kind : options_.kinds) out.push_back(address_of(kind, name));
  std::lock_guard lock(marks_mutex_);
  for (const int kind : kinds) {
    for (const std::string& d : names) {
      const nostr::Address address{kind, own, d};
      const bool listed = std::find(out.begin(), out.end(), address) != out.end();
      if (!listed && marks_.mark(address)) out.push_back(address);
    }
  }
  return out;
}

// NIP-09. The marks stay above what is retracted, so that the next hint comes after it; a renewal
// makes none.
Result<Outcome> Publisher::retract(const IpnsName& name, std::optional<Instant> deadline) {
  if (!parts_.outbox || !parts_.signer)
    return fail(Errc::invalid, "retracting needs relays and a Nostr key");
  const Instant end = deadline.value_or(default_deadline());
  const std::vector<nostr::Address> addresses = used_addresses(name);
  const UnixSeconds now = system_now().seconds();
  nostr::UnsignedEvent what = retraction_of(addresses, now);
  {
    std::lock_guard lock(marks_mutex_);
    for (const nostr::Address& address : addresses) {
      const auto mark = marks_.mark(address);
      if (mark && !marks_.ahead_of_limit(*mark, now))
        what.created_at = std::max(what.created_at, *mark);
    }
  }
  // By its address alone, none from the future would go.
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    for (const nostr::Address& address : addresses) {
      const auto sent = load_sent_around(db, address, what.created_at);
      if (!sent) return fail(sent.error());
      for (const nostr::EventId& id : sent->after) what.tags.push_back({"e", to_hex(id.view())});
    }
    return {};
  });
  if (!read) return fail(read.error());
  auto event = nostr::sign_blocking(*parts_.signer, std::move(what), kSignTimeout);
  if (!event) return fail(event.error().within("signing the retraction"));
  const Status committed = parts_.writer.run([&](store::Database& db) -> Status {
    if (auto noted = note_retracted(db, name); !noted) return noted;
    for (const nostr::Address& address : addresses) {
      if (auto saved = save_created_at(db, address, event->created_at); !saved) return saved;
    }
    return nostr::outbox_add(db, *event, options_.relays, options_.outbox);
  });
  if (!committed) return fail(committed.error());
  {
    std::lock_guard lock(marks_mutex_);
    for (const nostr::Address& address : addresses) marks_.restore(address, event->created_at);
  }
  Outcome outcome{name};
  outcome.hint = event->id;
  auto progress = std::make_shared<Progress>();
  send_hints(name, std::nullopt, {SignedHint{std::move(*event), {}}}, progress);
  progress->wait(end, options_.quorum, outcome);
  return outcome;
}

}  // namespace ipnscast::sync
