#pragma once

#include <string_view>
#include <vector>

#include "ipnscast/sync/dnslink/dnslink.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// What a TARGET on the command line means. CLI.md, "TARGET".
struct Target {
  std::vector<sync::IpnsName> names;      // at least one
  std::vector<nostr::PublicKey> authors;  // whose hints are to be trusted beside the configured
  // To be asked beside the configured ones. Others named them, but for those that are marked as
  // ours.
  std::vector<nostr::RelayUrl> relays;
  std::vector<sync::dnslink::Step> dns;  // how a domain led there, which nobody signs
};

// An IPNS name in any spelling, an npub or nprofile, an naddr of a hint, `self` or the label of one
// of our keys, or a domain whose DNSLink leads to a name. `derived`: the secp256k1 name of an npub
// or of our key; without it an npub's names are asked for at the relays, by `deadline`, also at
// those of its own list (NIP-65; public ones over TLS, and those that are configured).
// Errc::invalid for what is none of these, Errc::not_found, Errc::unreachable, Errc::unsupported
// for a domain that leads to content (there is no record to follow) or to a path inside of a name.
Result<Target> resolve_target(const Session& session, std::string_view text, bool derived,
                              Milliseconds deadline);

// The same where exactly one name is wanted. Errc::invalid, with all of them, when there are
// several.
Result<Target> resolve_one(const Session& session, std::string_view text, bool derived,
                           Milliseconds deadline);
// Its name alone.
Result<sync::IpnsName> resolve_name(const Session& session, std::string_view text, bool derived,
                                    Milliseconds deadline);

// Where content is to be found: by a name, or, when a domain led to it without one, by its root.
struct Place {
  std::optional<sync::IpnsName> name;
  std::optional<sync::Cid> root;
  std::string path;  // inside of it
  std::vector<sync::dnslink::Step> dns;
};
// As resolve_name(), also for domains that lead to content or to a path.
Result<Place> resolve_place(const Session& session, std::string_view text, bool derived,
                            Milliseconds deadline);

// The key that signs records under the target: a label, `self`, or a name that one of our keys has,
// also by a domain that leads to it. An npub or nprofile means the name that resolve_name() takes
// it for; while that key announces none, the name that our Nostr key of this public key has.
// Errc::not_found when we hold none, Errc::invalid, also, with all of them, for a key that
// announces several names.
Result<sync::IpnsKey> resolve_own_key(const Session& session, std::string_view text, bool derived,
                                      Milliseconds deadline);

// "k51..., k51...", the first fifty.
std::string name_list(const std::vector<sync::IpnsName>& names);

// Puts what the target brings along into a client's configuration.
void add_to(sync::Config& config, const Target& target);

}  // namespace ipnscast::tools
