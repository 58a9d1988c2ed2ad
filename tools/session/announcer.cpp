#include "ipnscast/tools/session/announcer.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/announcements.h"
#include "ipnscast/sync/state/state_view.h"
#include "ipnscast/tools/session/stored_events.h"
#include "ipnscast/tools/session/target_text.h"

namespace ipnscast::tools {
namespace {

// A reader needs a few of them, and NIP-19 bounds the text (255 bytes each, 5000 characters).
constexpr size_t kMostSharedRelays = 10;
constexpr size_t kMaxSharedRelay = 255;

std::string name_in_quotes(const sync::IpnsName& name) { return "\"" + name.to_string() + "\""; }

// A query may hold a token, which is nobody else's.
bool may_be_shown(const nostr::RelayUrl& relay) {
  return relay.path().find('?') == std::string::npos && relay.text().size() <= kMaxSharedRelay;
}

Result<std::vector<nostr::RelayUrl>> relays_to_share(const Session& session) {
  auto all = session.relays();
  if (!all) return all;
  std::vector<nostr::RelayUrl> out;
  for (const nostr::RelayUrl& relay : *all) {
    if (!may_be_shown(relay)) {
      log_warning("session", "the relay at " + relay.host() +
                                 " is left out: the part behind \"?\" may be a secret of yours, "
                                 "or it is too long for an naddr");
    } else if (out.size() < kMostSharedRelays) {
      out.push_back(relay);
    }
  }
  return out;
}

// What is neither a name nor a key of somebody's, nor a domain, was the label of a key of ours.
bool is_label(std::string_view typed, const Target& target) {
  return target.authors.empty() && target.dns.empty() &&
         !sync::IpnsName::parse(read_target_text(typed).head);
}

std::optional<sync::NameStatus> known_status(const sync::StateView& state,
                                             const sync::IpnsName& name) {
  const auto found = std::find_if(state.names.begin(), state.names.end(),
                                  [&](const auto& status) { return status.name == name; });
  return found == state.names.end() ? std::nullopt : std::optional(*found);
}

Error is_private(const sync::IpnsName& name) {
  return {Errc::refused, name_in_quotes(name) +
                             " is announced to your own devices only (relays.private): give "
                             "readers the name itself, which they can poll"};
}

// Under our own key, whether anything has been published yet or not.
Result<nostr::Address> own_address(const Session& session, const sync::IpnsName& name) {
  const auto signer = session.signer();
  if (!signer) return fail(signer.error());
  if (!*signer) return fail(session.no_key());
  return nostr::Address{session.settings().engine.kinds.front(), (*signer)->public_key(),
                        sync::hint_d(name)};
}

// The newest hint of an author that is trusted.
Result<nostr::Address> address_at_relays(const Session& session, const sync::IpnsName& name,
                                         Milliseconds deadline) {
  const auto config = session.sync_config();
  if (!config) return fail(config.error());
  const Error nobody{Errc::not_found,
                     "nobody whom you trust announces " + name_in_quotes(name) +
                         ": give the npub of who announces it instead of the name"};
  if (config->trusted_authors.empty()) return fail(nobody);
  const auto relays = session.relays();
  if (!relays) return fail(relays.error());
  const auto filters = sync::hint_filters({name}, config->trusted_authors,
                                          {sync::kHintKind, sync::kPublicHintKind}, false);
  std::optional<sync::Hint> newest;
  for (const nostr::Filter& filter : filters) {
    const auto events = stored_events(session, *relays, filter, deadline);
    if (!events) return fail(events.error());
    for (const nostr::Event& event : *events) {
      auto hint = sync::parse_hint(event);
      if (hint && hint->name == name && (!newest || hint->created_at > newest->created_at))
        newest = std::move(*hint);
    }
  }
  if (!newest) return fail(nobody);
  return nostr::Address{newest->kind, newest->author, sync::hint_d(name)};
}

Result<nostr::Address> address_of(const Session& session, const Target& target, bool label,
                                  Milliseconds deadline) {
  const sync::IpnsName& name = target.names.front();
  const auto state = sync::read_state(session.state_dir());
  if (!state) return fail(state.error());
  const auto here = sync::read_announced(session.state_dir(), name);
  if (!here) return fail(here.error());
  const auto status = known_status(*state, name);
  const bool ours = label || here->address || (status && status->own);
  if (ours && session.settings().engine.private_hints) return fail(is_private(name));
  if (here->retracted)
    return fail(Errc::refused, "the announcements of " + name_in_quotes(name) +
                                   " were taken back: publish or announce it again first");
  if (here->address) return *here->address;
  if (ours) return own_address(session, name);
  if (!status)
    return fail(Errc::not_found, name_in_quotes(name) +
                                     " is neither published nor followed here: follow it first, "
                                     "with \"ipnscast watch\", or give readers the name itself");
  std::optional<nostr::PublicKey> author = status->author;
  if (!author && !target.authors.empty()) author = target.authors.front();
  if (!author) return address_at_relays(session, name, deadline);
  return nostr::Address{sync::kHintKind, *author, sync::hint_d(name)};
}

}  // namespace

Result<Announcer> find_announcer(const Session& session, std::string_view typed, bool derived,
                                 Milliseconds deadline) {
  const Instant end = system_now().steady + deadline;
  const auto target = resolve_one(session, typed, derived, deadline);
  if (!target) return fail(target.error());
  const auto left = std::max(std::chrono::duration_cast<Milliseconds>(end - system_now().steady),
                             Milliseconds(0));
  auto address = address_of(session, *target, is_label(typed, *target), left);
  if (!address) return fail(address.error());
  auto relays = relays_to_share(session);
  if (!relays) return fail(relays.error());
  return Announcer{target->names.front(), std::move(*address), std::move(*relays)};
}

}  // namespace ipnscast::tools
