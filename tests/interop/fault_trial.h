#pragma once

#include "ipnscast/sync/fetch/fetcher.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/tests/interop/fault_stage.h"

namespace ipnscast::test {

// How one resolve and fetch went.
struct TrialResult {
  std::string failure;       // empty: the current record, and all of its content byte for byte
  bool stale_first = false;  // an old record was handed over before the current one
  std::chrono::microseconds first{0};     // until some verified record
  std::chrono::microseconds resolved{0};  // until the current record
  std::chrono::microseconds total{0};     // until all content was there
  std::chrono::microseconds oracle{0};    // the least delay + service of the healthy nodes' records

  bool success() const { return failure.empty(); }
};

// Five proxied nodes and a reader of them that starts knowing nothing: no latency, no dialect, no
// connection. Used for one trial that is cold, for several in a row it has learned something.
class FaultRun {
 public:
  FaultRun(FaultStage& stage, const NodeFaults& faults, uint64_t seed);
  ~FaultRun();

  // One name of its own, resolved (with the floor of a hint, or without) and fetched into an empty
  // cache. `name_seed` differs between all trials of a stage.
  TrialResult trial(uint64_t name_seed, bool floor);

 private:
  Result<sync::IpnsRecord> resolve(const sync::IpnsName& name, bool floor, TrialResult& out);
  std::chrono::microseconds oracle(const sync::IpnsName& name) const;

  // constant after construction
  FaultStage& stage_;
  const NodeFaults faults_;

  std::vector<std::unique_ptr<FaultProxy>> proxies_;
  std::unique_ptr<sync::gateway::HttpClient> http_;
  std::unique_ptr<sync::gateway::GatewayBook> book_;
  std::unique_ptr<sync::Resolver> resolver_;
};

}  // namespace ipnscast::test
