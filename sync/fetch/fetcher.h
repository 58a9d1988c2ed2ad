#pragma once

#include <functional>
#include <memory>

#include "ipnscast/sync/fetch/job.h"
#include "ipnscast/sync/gateway/providers.h"
#include "ipnscast/sync/metrics/meter.h"

namespace ipnscast::sync {

using FetchId = StrongId<struct FetchTag>;

struct FetcherOptions {
  size_t threads = 2;    // fetches at a time
  size_t queued = 1024;  // fetches that wait; more are refused with Errc::busy
  // How long public gateways are waited for that are asked who has the root at hand
  // (cache_probe.h).
  Milliseconds cache_probe{250};
  // What no gateway has is looked for at those whom the routers among them name.
  gateway::ProviderHosts providers = gateway::ProviderHosts::none;
  Meter* meter = nullptr;
};

// Brings whole DAGs into the block cache: the threads fetch-0, fetch-1, ... each run one fetch at a
// time (job.h). Thread-safe. Outlived by what it is given.
class Fetcher {
 public:
  using Done = std::function<void(Result<FetchReport>)>;

  Fetcher(gateway::Http& http, gateway::GatewayBook& book, BlockCache& cache,
          FetcherOptions options = {});
  ~Fetcher();

  // `done` comes once, on a fetch thread, or at once on the caller's when refused. It must not
  // block: push into an inbox.
  FetchId fetch(const Cid& root, const FetchOptions& options, Done done);
  // done(Errc::cancelled) follows, unless it has ended.
  void cancel(FetchId id);
  // Waits for the whole. Not from a fetch thread.
  Result<FetchReport> fetch_now(const Cid& root, const FetchOptions& options);

  // Ends every fetch with Errc::closed, then the threads. Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
