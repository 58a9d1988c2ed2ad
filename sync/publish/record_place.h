#pragma once

#include <functional>

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/publish/outcome.h"

namespace ipnscast::sync {

// What record_place() needs from its thread. Both are told the time that is left by the caller.
struct RecordPlaceTools {
  // Makes a call and waits for the answer.
  std::function<Result<gateway::HttpAnswer>(gateway::HttpCall)> ask;
  // Waits. False when it is time to stop.
  std::function<bool(Milliseconds)> wait;
};

// Puts a record into one gateway that speaks `dialects` and reads it back, with retries after the
// given waits. Nothing when it takes no records. What is there stands when it is better, or has the
// same sequence and another value (S0-72): the place then says so with that record. A new value
// goes to Kubo by its name/put, which compares by itself; routers, and nodes that know only
// routing/put, are read first, unless they refuse rivals themselves (Dialects::preconditions).
std::optional<Outcome::Place> put_record(const gateway::Endpoint& endpoint,
                                         gateway::Dialects dialects, const IpnsName& name,
                                         const IpnsRecord& record,
                                         const std::vector<Milliseconds>& retries,
                                         const RecordPlaceTools& tools);

}  // namespace ipnscast::sync
