#include "ipnscast/tools/look/status_facts.h"

#include "ipnscast/bridge/announce/bridged_view.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/writer/lost_view.h"
#include "ipnscast/sync/writer/renewal.h"
#include "ipnscast/tools/session/bridge_options.h"

namespace ipnscast::tools {

namespace {

// A bridge works in a directory of its own, one of an earlier version in that of its user.
Status add_bridge(StatusFacts& facts) {
  const auto own = bridge_directory(facts.state_dir);
  std::error_code unknown;
  const bool moved = std::filesystem::exists(own / sync::kStateFile, unknown);
  auto bridged = bridge::read_bridged(moved ? own : facts.state_dir);
  if (!bridged) return fail(bridged.error());
  facts.bridged = std::move(*bridged);
  if (!moved) return {};
  if (!facts.owner) facts.owner = store::lock_holder(own);
  const auto state = sync::read_state(own);
  if (!state) return fail(state.error());
  auto& outbox = facts.state.outbox;
  outbox.events += state->outbox.events;
  outbox.first.insert(outbox.first.end(), state->outbox.first.begin(), state->outbox.first.end());
  for (const auto& [relay, count] : state->outbox.lacked) outbox.lacked[relay] += count;
  return {};
}

}  // namespace

Result<StatusFacts> status_facts(const Session& session) {
  StatusFacts out;
  out.state_dir = session.state_dir();
  out.lifetime = session.settings().engine.record_lifetime;
  out.to_bridge = session.settings().bridge.names;
  for (const auto& relay : session.settings().engine.relays)
    out.configured.emplace_back("relay", relay.text());
  for (const auto& gateway : session.settings().engine.gateways)
    out.configured.emplace_back("gateway", gateway.url);
  out.now = system_now().wall;
  out.owner = store::lock_holder(out.state_dir);
  if (out.owner) out.owner->command = without_secrets(out.owner->command);
  auto state = sync::read_state(out.state_dir);
  if (!state) return fail(state.error());
  out.state = std::move(*state);
  if (auto added = add_bridge(out); !added) return fail(added.error());
  auto lost = sync::count_lost(out.state_dir);
  if (!lost) return fail(lost.error());
  out.lost = std::move(*lost);
  return out;
}

std::optional<UnixMillis> renewal_of(const StatusFacts& facts, const sync::NameStatus& name) {
  if (!name.own) return std::nullopt;
  return sync::renewal_time(name.eol, facts.lifetime);
}

}  // namespace ipnscast::tools
