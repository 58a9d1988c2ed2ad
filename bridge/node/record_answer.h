#pragma once

#include <map>
#include <optional>

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/bridge/node/store/precondition.h"
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

// To a writer whose record was not stored: the record that stays, with its ETag, for the next try.
// Without a body when there is none.
HttpResponse stored_record_answer(int status, const std::optional<Bytes>& there);

// What the request demands of the record that it would replace. Errors as Precondition::parse().
Result<Precondition> record_precondition(const HttpRequest& request);

// Tells that preconditions are heeded here when records are put: see
// sync/decider/conditional_put.h.
void add_precondition_header(std::map<std::string, std::string>& headers);

}  // namespace ipnscast::bridge
