#include "ipnscast/tests/interop/fault_stage.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <stdexcept>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"

namespace ipnscast::test {
namespace {

constexpr std::array kFaults = {Fault::dead, Fault::lie, Fault::stale, Fault::stall, Fault::busy};

template <typename T>
T need(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().message);
  return std::move(*result);
}

void need(const Status& status, const char* what) {
  if (!status) throw std::runtime_error(std::string(what) + ": " + status.error().message);
}

void write_random(const std::filesystem::path& file, size_t size, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng());
  std::ofstream(file, std::ios::binary) << bytes;
}

// The state of a small application: a few files, one of them of more than one block.
void write_files(const std::filesystem::path& top, int number) {
  std::filesystem::create_directories(top / "notes");
  const uint64_t seed = static_cast<uint64_t>(number) * 100;
  write_random(top / "big", 300 * 1024, seed);
  for (uint64_t i = 1; i <= 12; ++i)
    write_random(top / "notes" / std::to_string(i), 1024 * i, seed + i);
}

}  // namespace

std::vector<FaultScenario> fault_scenarios() {
  std::vector<FaultScenario> out = {{"all healthy", {}}};
  for (const Fault fault : kFaults) out.push_back({std::string(to_string(fault)), {fault}});
  for (size_t a = 0; a < kFaults.size(); ++a) {
    for (size_t b = a; b < kFaults.size(); ++b) {
      out.push_back(
          {std::string(to_string(kFaults[a])) + " + " + std::string(to_string(kFaults[b])),
           {kFaults[a], kFaults[b]}});
    }
  }
  for (const Fault fault : kFaults) {
    out.push_back({"4 x " + std::string(to_string(fault)), std::vector<Fault>(4, fault)});
  }
  for (const Fault without : kFaults) {
    FaultScenario four{"all but " + std::string(to_string(without)), {}};
    std::copy_if(kFaults.begin(), kFaults.end(), std::back_inserter(four.faults),
                 [&](Fault fault) { return fault != without; });
    out.push_back(std::move(four));
  }
  return out;
}

NodeFaults deal(const FaultScenario& scenario, uint64_t seed) {
  NodeFaults faults{};
  std::copy(scenario.faults.begin(), scenario.faults.end(), faults.begin());
  std::mt19937_64 rng(seed);
  std::shuffle(faults.begin(), faults.end(), rng);
  return faults;
}

FaultStage::FaultStage(const std::filesystem::path& kubo_folder)
    : http_(need(sync::gateway::HttpClient::open({.connections_per_host = 64, .connections = 400}),
                 "http client")) {
  for (size_t i = 0; i < kNodes; ++i) {
    nodes_.push_back(std::make_unique<KuboNode>(kubo_folder));
    nodes_.back()->start(true);
  }
  for (size_t i = 0; i < editions_.size(); ++i) {
    pack(editions_[i], static_cast<int>(i));
    import(editions_[i]);
  }
}

void FaultStage::pack(Edition& edition, int number) {
  const TempDir work;
  write_files(work.path() / "state", number);
  edition.root = need(sync::pack_path(work.path() / "state", {}, edition.blocks), "pack").root;
}

void FaultStage::import(Edition& edition) {
  Bytes car = sync::car_header({edition.root});
  const auto walked =
      sync::walk_dag(edition.blocks, edition.root, {}, [&](const sync::Cid& cid, ByteView block) {
        sync::append_car_section(car, cid, block);
        return Status();
      });
  if (!need(walked, "walk").is_complete()) throw std::runtime_error("a packed DAG has holes");
  for (const auto& node : nodes_) {
    const auto answer =
        need(http_->fetch(sync::gateway::kubo_dag_import_call({node->rpc(), {}}, car, true)),
             "dag/import");
    for (const auto& root : need(sync::gateway::read_kubo_dag_import(answer), "dag/import")) {
      if (!root.pin_error.empty()) throw std::runtime_error("dag/import: " + root.pin_error);
    }
  }
}

StagedName FaultStage::stage_name(uint64_t seed, const NodeFaults& faults) {
  std::mt19937_64 rng(seed);
  Bytes secret(32);
  for (uint8_t& byte : secret) byte = static_cast<uint8_t>(rng());
  const auto key =
      need(sync::IpnsKey::from_bytes(sync::KeyType::ed25519, secret), "the name's key");
  const auto record = [&](uint64_t sequence, const Edition& edition) {
    return need(
        create_record(key, {.value = "/ipfs/" + edition.root.to_string(),
                            .sequence = {sequence},
                            .eol = sync::Eol::after(system_now().wall, std::chrono::hours(1))}),
        "record");
  };
  const auto older = record(1, editions_[0]);
  const auto current = record(2, editions_[1]);
  for (size_t i = 0; i < kNodes; ++i)
    put(i, key.name(), faults[i] == Fault::stale ? older : current);
  return {key.name(), &editions_[1]};
}

void FaultStage::put(size_t node, const sync::IpnsName& name, const sync::IpnsRecord& record) {
  const auto answer = need(http_->fetch(sync::gateway::kubo_name_put_call({nodes_[node]->rpc(), {}},
                                                                          name, record.bytes())),
                           "name/put");
  need(sync::gateway::read_kubo_done(answer), "name/put");
}

std::vector<std::unique_ptr<FaultProxy>> FaultStage::proxies(uint64_t seed,
                                                             const NodeFaults& faults) {
  std::vector<std::unique_ptr<FaultProxy>> out;
  std::mt19937_64 rng(seed);
  for (size_t i = 0; i < kNodes; ++i) {
    out.push_back(
        std::make_unique<FaultProxy>(*http_, nodes_[i]->gateway(), nodes_[i]->rpc(),
                                     FaultProxyOptions{.fault = faults[i], .seed = rng()}));
  }
  return out;
}

}  // namespace ipnscast::test
