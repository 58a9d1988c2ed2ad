#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/gateways/fault_proxy.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/peers.h"

namespace ipnscast::test {

inline constexpr size_t kNodes = 5;
using NodeFaults = std::array<Fault, kNodes>;

// What is wrong with which nodes, in words and nodes. The nodes are dealt anew in each trial.
struct FaultScenario {
  std::string what;
  std::vector<Fault> faults;  // at most four; the other nodes are healthy
};
// No fault, each alone, every pair (twice the same too), and four of five faulty: each fault four
// times, and four different ones.
std::vector<FaultScenario> fault_scenarios();

// One published version of a name: content and record.
struct Edition {
  sync::Cid root;
  MemoryBlocks blocks;  // all of the DAG
};

// A name whose records the nodes hold: sequence 2 the healthy ones, 1 the stale ones.
struct StagedName {
  sync::IpnsName name;
  Edition* current = nullptr;
};

// Five Kubo nodes that have the same content and nothing to say to each other (offline), so that a
// faulty one is not mended by its neighbour. One thread.
class FaultStage {
 public:
  // Starts the nodes and gives all of them all content. Throws when that fails.
  explicit FaultStage(const std::filesystem::path& kubo_folder);

  // A name of its own for the trial, put at every node.
  StagedName stage_name(uint64_t seed, const NodeFaults& faults);
  // The proxies of one trial.
  std::vector<std::unique_ptr<FaultProxy>> proxies(uint64_t seed, const NodeFaults& faults);

 private:
  void pack(Edition& edition, int number);
  void import(Edition& edition);
  void put(size_t node, const sync::IpnsName& name, const sync::IpnsRecord& record);

  std::unique_ptr<sync::gateway::HttpClient> http_;  // to the nodes themselves
  std::array<Edition, 2> editions_;                  // the older first
  std::vector<std::unique_ptr<KuboNode>> nodes_;
};

// Deals the scenario's faults to the nodes.
NodeFaults deal(const FaultScenario& scenario, uint64_t seed);

}  // namespace ipnscast::test
