#include "ipnscast/tools/session/stored_events.h"

#include <algorithm>

#include "ipnscast/tools/session/relay_query.h"

namespace ipnscast::tools {

Result<std::vector<nostr::Event>> stored_events(const Session& session,
                                                std::vector<nostr::RelayUrl> relays,
                                                const nostr::Filter& filter,
                                                Milliseconds deadline) {
  RelayQueryOptions options;
  options.relays = std::move(relays);
  options.filters = {filter};
  options.signer = session.auth_signer();
  options.access = session.settings().engine.access;
  options.deadline = deadline;
  std::vector<nostr::Event> events;
  const auto end = RelayQuery(std::move(options)).run([&](const nostr::Event& event) {
    events.push_back(event);
  });
  if (!end) return fail(end.error());
  if (end->answered > 0 || !end->incomplete.empty()) return events;
  if (end->failed.empty()) return fail(Errc::unreachable, "no relay answered in time");
  // The word about relays that others named was said; what ails ours is for the user to mend.
  const auto ours = std::find_if(end->failed.begin(), end->failed.end(), [](const auto& failed) {
    return failed.relay.named_by() == NamedBy::configuration;
  });
  const auto& told = ours == end->failed.end() ? end->failed.front() : *ours;
  return fail(told.error.within(told.relay.text()));
}

}  // namespace ipnscast::tools
