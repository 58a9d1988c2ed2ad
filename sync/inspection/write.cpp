// Writing the sample.
#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/inspection/inspection.h"

namespace ipnscast::sync::inspection {
namespace {

using gateway::HttpAnswer;
using gateway::HttpCall;
using Answer = Finding::Answer;

class Writer {
 public:
  Writer(gateway::Http& http, const Options& options) : http_(http), options_(options) {}

  // Whether the other side took it, by what `read` says of its answer.
  bool give(Feature feature, HttpCall call, const std::function<Status(const HttpAnswer&)>& read) {
    call.deadline = time_left(options_);
    ++writing.requests;
    const auto answer = http_.fetch(std::move(call));
    Finding& finding = writing.findings[feature];
    const Status status = answer ? read(*answer) : fail(answer.error());
    if (answer) finding.took = answer->timings.total;
    finding.answer = status ? Answer::yes : answer ? Answer::no : Answer::unclear;
    finding.words = status ? "" : status.error().message;
    writing.stored = writing.stored || status;
    return status.has_value();
  }

  Writing writing;

 private:
  gateway::Http& http_;
  const Options& options_;
};

}  // namespace

Writing write(gateway::Http& http, const gateway::Endpoint& endpoint, const Sample& sample,
              const Options& options) {
  Writer writer(http, options);
  const ByteView record = sample.record.bytes();
  writer.give(Feature::routing_put, routing_put_call(endpoint, sample.name, record),
              gateway::read_routing_put);
  const bool imported =
      writer.give(Feature::rpc_import, kubo_dag_import_call(endpoint, car_of(sample), false),
                  [](const HttpAnswer& answer) -> Status {
                    const auto roots = gateway::read_kubo_dag_import(answer);
                    return roots ? Status{} : fail(roots.error());
                  });
  if (!imported) return std::move(writer.writing);  // where there is no RPC
  if (!writer.give(Feature::rpc_put, kubo_name_put_call(endpoint, sample.name, record),
                   gateway::read_kubo_done)) {
    writer.give(Feature::rpc_put, kubo_routing_put_call(endpoint, sample.name, record),
                gateway::read_kubo_done);
  }
  return std::move(writer.writing);
}

Milliseconds time_left(const Options& options) {
  if (!options.end) return options.timeout;
  const auto left =
      std::chrono::duration_cast<Milliseconds>(*options.end - std::chrono::steady_clock::now());
  return std::clamp(left, Milliseconds(1), std::max(options.timeout, Milliseconds(1)));
}

}  // namespace ipnscast::sync::inspection
