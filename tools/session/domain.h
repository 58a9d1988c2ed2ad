#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "ipnscast/sync/dnslink/dnslink.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// Whether the text could be a domain; what is no name and no label of a key then is one.
bool looks_like_domain(std::string_view text);

// What the domain's DNSLink leads to, by DNS over HTTPS where resolve.dns is set, else by the
// system's resolver. Nobody signs that: whoever prints it says so. Errors of dnslink::follow() and
// of the look-up.
Result<sync::dnslink::Found> follow_domain(const Session& session, std::string_view domain,
                                           Milliseconds deadline);

// The steps as rows for people ("example.org  /ipns/k51...  by DNS, which nobody signs"), and as a
// list.
std::vector<std::string> dnslink_rows(const std::vector<sync::dnslink::Step>& steps);
nlohmann::ordered_json dnslink_json(const std::vector<sync::dnslink::Step>& steps);

}  // namespace ipnscast::tools
