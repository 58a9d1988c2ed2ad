#pragma once

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::bridge {

inline constexpr const char* kRecordType = "application/vnd.ipfs.ipns-record";

// The record itself, with the caching headers that delegated routing (http-routing-v1) and
// trustless gateways give: max-age is the TTL, capped by the end of life. 304 without a body when
// the client has it.
HttpResponse record_answer(const HttpRequest& request, const sync::IpnsRecord& record,
                           UnixMillis now);

// True when one of the entity tags in an If-None-Match header is `etag` (with its quotes; W/ is
// ignored) or "*".
bool has_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace ipnscast::bridge
