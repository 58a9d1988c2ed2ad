#include "ipnscast/sync/gateway/gateway_probe.h"

#include <mutex>

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/path_gateway.h"
#include "ipnscast/sync/gateway/trustless.h"

namespace ipnscast::sync::gateway {
namespace {

constexpr Milliseconds kDeadline{3'000};

// Collects the four answers; the last one hands over the report.
struct Probe {
  std::mutex mutex;
  ProbeReport report;
  int missing = 4;
  std::function<void(ProbeReport)> done;

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
    if (--missing > 0) return;
    lock.unlock();
    done(std::move(report));
  }
};

}  // namespace

void probe_gateway(Http& http, const Endpoint& endpoint, std::function<void(ProbeReport)> done) {
  auto probe = std::make_shared<Probe>();
  probe->done = std::move(done);
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
