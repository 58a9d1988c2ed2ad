#include "ipnscast/sync/publish/record_place.h"

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/record_source.h"

namespace ipnscast::sync {
namespace {

using gateway::RecordDialect;

Status put_once(const gateway::Endpoint& endpoint, RecordDialect dialect, const IpnsName& name,
                const IpnsRecord& record, const RecordPlaceTools& tools) {
  gateway::HttpCall call;
  if (dialect == RecordDialect::routing) {
    call = gateway::routing_put_call(endpoint, name, record.bytes());
  } else if (dialect == RecordDialect::rpc_name) {
    call = gateway::kubo_name_put_call(endpoint, name, record.bytes());
  } else {
    call = gateway::kubo_routing_put_call(endpoint, name, record.bytes());
  }
  const auto answer = tools.ask(std::move(call));
  if (!answer) return fail(answer.error());
  return dialect == RecordDialect::routing ? gateway::read_routing_put(*answer)
                                           : gateway::read_kubo_done(*answer);
}

// The sound record that the place answers with now, its time over or not.
Result<IpnsRecord> read_back(const gateway::Endpoint& endpoint, RecordDialect dialect,
                             const IpnsName& name, const RecordPlaceTools& tools) {
  auto answer = tools.ask(gateway::record_call(dialect, endpoint, name));
  if (!answer) return fail(answer.error());
  auto read = gateway::read_record(dialect, std::move(*answer));
  if (!read) return fail(read.error());
  auto record = verify_record(name, read->record, system_now().wall);
  if (record) return std::move(*record);
  if (record.error().expired_record) return std::move(*record.error().expired_record);
  return fail(Errc::signature, record.error().message);
}

}  // namespace

std::optional<Outcome::Place> put_record(const gateway::Endpoint& endpoint,
                                         gateway::Dialects dialects, const IpnsName& name,
                                         const IpnsRecord& record,
                                         const std::vector<Milliseconds>& retries,
                                         const RecordPlaceTools& tools) {
  if (!dialects.rpc && !dialects.routing) return std::nullopt;
  const Instant started = std::chrono::steady_clock::now();
  Outcome::Place place;
  place.kind = dialects.rpc ? Outcome::Place::Kind::node : Outcome::Place::Kind::router;
  place.what = Outcome::Place::What::record;
  place.url = endpoint.url;
  RecordDialect dialect = dialects.rpc ? RecordDialect::rpc_name : RecordDialect::routing;

  for (size_t attempt = 0;; ++attempt) {
    Status put = put_once(endpoint, dialect, name, record, tools);
    if (!put && put.error().code == Errc::unsupported && dialect == RecordDialect::rpc_name) {
      dialect = RecordDialect::rpc_routing;
      put = put_once(endpoint, dialect, name, record, tools);
    }
    // Read back even after a refusal: perhaps it has this record already, or a newer one.
    auto there = read_back(endpoint, dialect, name, tools);
    // Kubo's name/put wants a higher sequence; a later end of life is news to its routing alone.
    if (!put && put.error().code == Errc::refused && dialect == RecordDialect::rpc_name && there &&
        better(record, *there)) {
      put = put_once(endpoint, RecordDialect::rpc_routing, name, record, tools);
      there = read_back(endpoint, dialect, name, tools);
    }
    if (there && there->bytes() == record.bytes()) {
      place.ok = true;
      place.detail = put ? "stored" : "has it";
      break;
    }
    if (there && better(*there, record)) {
      place.newer = true;
      place.newer_sequence = there->fields().sequence;
      place.newer_record = there->bytes();
      place.settled = true;
      place.detail = "refused: a newer record is there, sequence " +
                     std::to_string(there->fields().sequence.value);
      break;
    }
    if (!put) {
      place.detail = std::string(to_string(put.error().code)) + ": " + put.error().message;
    } else {
      place.detail = "accepted, but not readable";
      if (!there) place.detail += ": " + there.error().message;
    }
    const bool hopeless =
        !put && (put.error().code == Errc::refused || put.error().code == Errc::unsupported);
    if (hopeless || attempt >= retries.size() || !tools.wait(retries[attempt])) break;
  }
  place.took = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
  return place;
}

}  // namespace ipnscast::sync
