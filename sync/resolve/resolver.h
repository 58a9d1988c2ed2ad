#pragma once

#include <memory>
#include <stop_token>

#include "ipnscast/sync/metrics/meter.h"
#include "ipnscast/sync/resolve/resolver_core.h"

namespace ipnscast::sync {

// Resolves names: the resolver thread, around many races at once (resolver_core.h). Thread-safe.
// Outlived by the HTTP client and the gateway book it is given.
class Resolver {
 public:
  // `meter` may be null.
  Resolver(gateway::Http& http, gateway::GatewayBook& book, ResolverOptions options = {},
           Meter* meter = nullptr);
  ~Resolver();

  // Updates come on the resolver thread, which they must not block: push into an inbox. `finished`
  // comes once and last, also on close().
  LookupId resolve(const IpnsName& name, const ResolveOptions& options, OnResolve on_update);
  // One source in rotation, asked conditionally; a race when nothing is known or that source fails.
  LookupId poll(const IpnsName& name, OnResolve on_update);
  // No update follows those that are already on their way.
  void cancel(LookupId id);

  // Waits for the first result, for everything to have answered, or for the deadline, and tells
  // what each source has said by then. Errc::cancelled when it is asked to stop.
  Result<ResolveReport> resolve_now(const IpnsName& name, const ResolveOptions& options,
                                    Milliseconds deadline, std::stop_token stop = {});

  RecordCache::Stats cache_stats();
  void invalidate(const IpnsName& name);

  // Ends every resolution, then the thread. Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
