#include "ipnscast/sync/decider/conditional_put.h"

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {
namespace {

// The node says that it does not take the record, whatever it has.
bool turned_away(int status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 405 ||
         status == 406 || status == 413;
}

ConditionalPut read_put(gateway::HttpAnswer answer) {
  ConditionalPut out;
  const int status = answer.head.status;
  const Status checked = gateway::check_status(answer);
  if (!checked) out.why = checked.error().message;
  if (!gateway::offers_preconditions(answer.head)) {
    out.why = "HTTP " + std::to_string(status) + ", not of a node that decides between writers";
    return out;
  }
  if (checked) {
    out.answer = ConditionalPut::Answer::stored;
  } else if (status == 409 || status == 412) {
    out.answer = ConditionalPut::Answer::refused;
    if (!answer.body.empty()) out.stored = std::move(answer.body);
  } else {
    out.never_sent = turned_away(status);
  }
  return out;
}

DecidersRecord read_stored(gateway::RecordDialect dialect, gateway::HttpAnswer answer) {
  DecidersRecord out;
  if (!gateway::offers_preconditions(answer.head)) {
    out.why = "HTTP " + std::to_string(answer.head.status) +
              ", not of a node that decides between writers";
    return out;
  }
  auto record = gateway::read_record(dialect, std::move(answer));
  out.answered = record || record.error().code == Errc::not_found;
  if (record)
    out.record = std::move(record->record);
  else
    out.why = record.error().message;
  return out;
}

// Collects the whole answer. `done` gets an error and whether a byte of the request may have left.
gateway::HttpId start_bounded(gateway::Http& http, gateway::HttpCall call, Milliseconds deadline,
                              std::function<void(Result<gateway::HttpAnswer>, bool begun)> done) {
  call.deadline = deadline;
  call.stall = Milliseconds(0);
  auto answer = std::make_shared<gateway::HttpAnswer>();
  return http.start(
      std::move(call),
      {.head = [answer](const gateway::HttpHead& head) { answer->head = head; },
       .chunk =
           [answer](ByteView bytes) {
             append(answer->body, bytes);
             return true;
           },
       .done =
           [answer, done = std::move(done)](Status status, const gateway::HttpTimings& timings) {
             if (!status) return done(fail(status.error()), timings.request_begun);
             done(std::move(*answer), true);
           }});
}

}  // namespace

gateway::HttpId put_record_if(gateway::Http& http, const gateway::Endpoint& endpoint,
                              gateway::RecordDialect dialect, const IpnsName& name, ByteView record,
                              const std::optional<Bytes>& instead_of, Milliseconds deadline,
                              std::function<void(ConditionalPut)> done) {
  gateway::HttpCall call = dialect == gateway::RecordDialect::routing
                               ? gateway::routing_put_call(endpoint, name, record)
                               : gateway::kubo_routing_put_call(endpoint, name, record);
  if (instead_of)
    call.headers.emplace_back("If-Match", gateway::record_etag(*instead_of));
  else
    call.headers.emplace_back("If-None-Match", "*");
  call.max_bytes = IpnsRecord::kMaxBytes;
  return start_bounded(http, std::move(call), deadline,
                       [done = std::move(done)](Result<gateway::HttpAnswer> answer, bool begun) {
                         if (answer) return done(read_put(std::move(*answer)));
                         ConditionalPut out;
                         out.never_sent = !begun;
                         out.why = answer.error().message;
                         done(std::move(out));
                       });
}

gateway::HttpId read_deciders_record(gateway::Http& http, const gateway::Endpoint& endpoint,
                                     gateway::RecordDialect dialect, const IpnsName& name,
                                     Milliseconds deadline,
                                     std::function<void(DecidersRecord)> done) {
  return start_bounded(http, gateway::record_call(dialect, endpoint, name), deadline,
                       [dialect, done = std::move(done)](Result<gateway::HttpAnswer> answer, bool) {
                         if (answer) return done(read_stored(dialect, std::move(*answer)));
                         done({false, std::nullopt, answer.error().message});
                       });
}

}  // namespace ipnscast::sync
