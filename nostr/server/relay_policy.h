#pragma once

#include <optional>
#include <set>
#include <string>

#include "ipnscast/nostr/server/relay_options.h"
#include "ipnscast/nostr/server/relay_query.h"

// Who may publish and see what: NIP-42's refusals, NIP-70 and the owner-private mode of NIP-78.
// Pure. A refusal is the reason of OK or CLOSED: "auth-required: ..." while the client has proved
// no key, "restricted: ..." when it has proved others, so that it does not try again.
namespace ipnscast::nostr::server {

using ProvedKeys = std::set<PublicKey>;

// True when some clients need to prove who they are from the first message on.
bool challenges_at_once(const RelayOptions& options);

// Nothing when the event may be published by a client with these keys.
std::optional<std::string> refuse_event(const RelayOptions& options, const ProvedKeys& keys,
                                        const Event& event);

// Nothing when the filter may be asked. A filter that names the private kind is refused rather than
// answered with nothing, unless own events can be among the answers; one that does not name it just
// does not get those events.
std::optional<std::string> refuse_filter(const RelayOptions& options, const ProvedKeys& keys,
                                         const Filter& filter);

// What the client's filters can give.
Viewer viewer_with(const RelayOptions& options, const ProvedKeys& keys);
bool may_see(const RelayOptions& options, const ProvedKeys& keys, const Event& event);

}  // namespace ipnscast::nostr::server
