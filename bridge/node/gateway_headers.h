#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/bridge/node/gateway_format.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::bridge {

using Headers = std::map<std::string, std::string>;

// Those of all answers of the gateway, errors too: any page may read them (CORS), and no browser
// guesses what they are.
void add_common_headers(Headers& headers);

// Those that tell where an answer comes from: X-Ipfs-Path; Content-Location when the Accept header
// had a say; Content-Disposition with the `filename` of the URL, or the one given. Trustless
// gateway spec, "Response Headers". Nothing of the request gets into a header as it came.
void add_origin_headers(Headers& headers, const HttpRequest& request, const WantedAnswer& wanted,
                        const std::string& default_filename);

// X-Ipfs-Roots: the CID of each step of the path. Left out when it would be long.
void add_roots_header(Headers& headers, const std::vector<sync::Cid>& roots);

// Cache-Control: only-if-cached.
bool wants_cached_only(const HttpRequest& request);

}  // namespace ipnscast::bridge
