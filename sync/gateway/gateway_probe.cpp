#include "ipnscast/sync/gateway/gateway_probe.h"

#include <mutex>

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/path_gateway.h"
#include "ipnscast/sync/gateway/redirect.h"
#include "ipnscast/sync/gateway/trustless.h"

namespace ipnscast::sync::gateway {
namespace {

constexpr Milliseconds kDeadline{3'000};

// Collects the four answers; the last one hands over the report.
struct Probe {
  Probe(const Endpoint& endpoint, std::function<void(ProbeReport)> when_done)
      : origin(origin_of(endpoint.url)), done(std::move(when_done)) {}

  const Origin origin;
  const std::function<void(ProbeReport)> done;
  std::mutex mutex;
  // guarded by mutex
  ProbeReport report;
  int missing = 4;
  bool offers = false;     // preconditions, by some answer
  bool may_offer = false;  // an answer that would tell did not come, or says to come back later

  // Records are put by two of the dialects. Only the gateway's own word counts, not that of
  // whoever it redirects to.
  void note_preconditions(bool Dialects::*dialect, const Result<HttpAnswer>& answer) {
    if (dialect != &Dialects::routing && dialect != &Dialects::rpc) return;
    const bool clear = answer ? answer->head.status < 500 && answer->head.status != 429
                              : answer.error().code == Errc::refused;
    may_offer |= !clear;
    offers |= answer && offers_preconditions(answer->head) && origin_of(answer->head.url) == origin;
  }

  void take(const Result<HttpAnswer>& answer, bool Dialects::*dialect,
            std::string ProbeReport::*words,
            const std::function<Speaks(const HttpAnswer&)>& judge) {
    std::unique_lock lock(mutex);
    if (answer) {
      const Milliseconds took = answer->timings.total;
      report.took = report.reachable ? std::min(report.took, took) : took;
      report.reachable = true;
      const Speaks speaks = judge(*answer);
      report.dialects.*dialect = speaks != Speaks::no;
      report.*words = speaks == Speaks::yes ? "yes"
                                            : std::string(speaks == Speaks::no ? "no" : "perhaps") +
                                                  ": HTTP " + std::to_string(answer->head.status);
    } else {
      report.*words = "no: " + answer.error().message;
    }
    note_preconditions(dialect, answer);
    if (--missing > 0) return;
    if (offers || !may_offer) report.dialects.preconditions = offers;
    lock.unlock();
    done(std::move(report));
  }
};

}  // namespace

void probe_gateway(Http& http, const Endpoint& endpoint, std::function<void(ProbeReport)> done) {
  const auto probe = std::make_shared<Probe>(endpoint, std::move(done));
  const auto bounded = [](HttpCall call) {
    call.deadline = kDeadline;
    call.stall = Milliseconds(0);
    return call;
  };
  http.start_whole(
      bounded(trustless_probe_call(endpoint)), [probe](const Result<HttpAnswer>& answer) {
        probe->take(answer, &Dialects::trustless, &ProbeReport::trustless, read_trustless_probe);
      });
  http.start_whole(
      bounded(routing_probe_call(endpoint)), [probe](const Result<HttpAnswer>& answer) {
        probe->take(answer, &Dialects::routing, &ProbeReport::routing, read_routing_probe);
      });
  http.start_whole(bounded(path_probe_call(endpoint)), [probe](const Result<HttpAnswer>& answer) {
    probe->take(answer, &Dialects::path, &ProbeReport::path, read_path_probe);
  });
  http.start_whole(bounded(kubo_version_call(endpoint)), [probe](const Result<HttpAnswer>& answer) {
    probe->take(answer, &Dialects::rpc, &ProbeReport::rpc, [&](const HttpAnswer& got) {
      auto version = read_kubo_version(got);
      if (!version) return version.error().code == Errc::refused ? Speaks::perhaps : Speaks::no;
      probe->report.rpc_version = std::move(*version);
      return Speaks::yes;
    });
  });
}

}  // namespace ipnscast::sync::gateway
