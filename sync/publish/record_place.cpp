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

// The sound record that the place answers with now, its time over or not. `before`: ours is not put
// yet, so that it matters only what the place itself has.
Result<IpnsRecord> read_there(const gateway::Endpoint& endpoint, RecordDialect dialect,
                              const IpnsName& name, const RecordPlaceTools& tools, bool before) {
  // Of a name that nobody has, a node on the public network searches for a minute.
  const bool offline = before && dialect == RecordDialect::rpc_routing;
  auto answer = tools.ask(offline ? gateway::kubo_routing_get_call(endpoint, name, true)
                                  : gateway::record_call(dialect, endpoint, name));
  if (!answer) return fail(answer.error());
  auto read = gateway::read_record(dialect, std::move(*answer));
  if (!read) return fail(read.error());
  auto record = verify_record(name, read->record, system_now().wall);
  if (record) return std::move(*record);
  if (record.error().expired_record) return std::move(*record.error().expired_record);
  return fail(Errc::signature, record.error().message);
}

bool same_value(const IpnsRecord& a, const IpnsRecord& b) {
  return a.fields().sequence == b.fields().sequence && a.fields().value == b.fields().value;
}

// Ours must not take its place: it is better, or has the same sequence and another value.
bool stands(const IpnsRecord& there, const IpnsRecord& ours) {
  const bool rival = there.fields().sequence == ours.fields().sequence && !same_value(there, ours);
  return rival || better(there, ours);
}

// The place said nothing, or to come back later.
bool no_answer(Errc code) {
  return code == Errc::unreachable || code == Errc::timeout || code == Errc::busy ||
         code == Errc::closed || code == Errc::cancelled;
}

// One record on its way to one place.
class RecordVisit {
 public:
  RecordVisit(const gateway::Endpoint& endpoint, gateway::Dialects dialects, const IpnsName& name,
              const IpnsRecord& record, const RecordPlaceTools& tools)
      : endpoint_(endpoint),
        name_(name),
        record_(record),
        tools_(tools),
        dialect_(dialects.rpc ? RecordDialect::rpc_name : RecordDialect::routing),
        refuses_rivals_(dialects.preconditions.value_or(false)) {}

  // Puts the record, unless what is there stands, and looks what is there then.
  void attempt() {
    put_ = {};
    if (dialect_ == RecordDialect::rpc_name) {
      by_name_put();
      if (dialect_ == RecordDialect::rpc_name) return;
    }
    // Who takes any record that ranks above the one there is asked first what that is. What is no
    // sound record has no rank, and who has no way to be read is written to all the same.
    if (!refuses_rivals_) {
      there_ = look(true);
      if (there_ && (there_->bytes() == record_.bytes() || stands(*there_, record_))) {
        put_ = fail(Errc::conflict, "what is there stands");
        return;
      }
      if (!there_ && no_answer(there_.error().code)) {
        put_ = fail(there_.error().within("what is there could not be read"));
        return;
      }
    }
    put_ = put(dialect_);
    there_ = look();
  }
  const Status& put_status() const { return put_; }
  const Result<IpnsRecord>& there() const { return there_; }

 private:
  Status put(RecordDialect dialect) const {
    return put_once(endpoint_, dialect, name_, record_, tools_);
  }
  Result<IpnsRecord> look(bool before = false) const {
    return read_there(endpoint_, dialect_, name_, tools_, before);
  }

  // Kubo's name/put wants a higher sequence than the one it knows: it compares by itself. Only a
  // later end of life for the same value, which it refuses, goes to its routing.
  void by_name_put() {
    put_ = put(RecordDialect::rpc_name);
    if (!put_ && put_.error().code == Errc::unsupported) {
      dialect_ = RecordDialect::rpc_routing;
      return;
    }
    // Read back even after a refusal: perhaps it has this record already, or another one.
    there_ = look();
    const bool renewal = there_ && same_value(*there_, record_) && better(record_, *there_);
    if (put_ || put_.error().code != Errc::refused || !renewal) return;
    put_ = put(RecordDialect::rpc_routing);
    there_ = look();
  }

  const gateway::Endpoint& endpoint_;
  const IpnsName& name_;
  const IpnsRecord& record_;
  const RecordPlaceTools& tools_;
  RecordDialect dialect_;
  const bool refuses_rivals_;
  Status put_;
  Result<IpnsRecord> there_ = fail(Errc::not_found, "");
};

void note_other(Outcome::Place& place, const IpnsRecord& there, Sequence ours) {
  place.newer = true;
  place.newer_sequence = there.fields().sequence;
  place.newer_record = there.bytes();
  place.settled = true;
  const std::string sequence = std::to_string(there.fields().sequence.value);
  place.detail = there.fields().sequence == ours
                     ? "refused: another record is there under sequence " + sequence
                     : "refused: a newer record is there, sequence " + sequence;
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
  RecordVisit visit(endpoint, dialects, name, record, tools);

  for (size_t attempt = 0;; ++attempt) {
    visit.attempt();
    const Status& put = visit.put_status();
    const auto& there = visit.there();
    if (there && there->bytes() == record.bytes()) {
      place.ok = true;
      place.detail = put ? "stored" : "has it";
      break;
    }
    if (there && stands(*there, record)) {
      note_other(place, *there, record.fields().sequence);
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
    if (hopeless || attempt >= retries.size() || !tools.wait(retries[attempt])) {
      place.refused = !put && put.error().code == Errc::refused;
      break;
    }
  }
  place.took = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
  return place;
}

}  // namespace ipnscast::sync
