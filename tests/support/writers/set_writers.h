#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/tests/support/process.h"

// Devices with one key that edit one set side by side, each a process of its own: the program
// set_writer.
namespace ipnscast::test {

struct SetWriting {
  std::filesystem::path folder;       // for state directories
  std::vector<std::string> gateways;  // own nodes of both
  std::string relay;                  // empty: none
  std::string decider;                // publish.decider; empty: whoever is found
  int publishes = 60;                 // of each device that have to succeed
  std::chrono::milliseconds settle{2'000};
  std::chrono::milliseconds deadline{120'000};
  // Called over and over while they run.
  std::function<void()> meanwhile{};
};

struct SetPublish {
  uint64_t on = 0;  // the sequence that it was made on; 0: none
  uint64_t sequence = 0;
  std::string value;
};

struct SetDevice {
  std::string name;
  bool done = false;  // all its publishes succeeded, and all entries of all devices are there
  uint64_t own = 0;
  size_t entries = 0;
  uint64_t sequence = 0;
  int refused = 0;
  std::chrono::milliseconds took{0};
  std::vector<SetPublish> published;
  std::vector<std::string> lost;  // values that lost, as it was told
  std::string output;             // its end
};

// Two devices, from the start to the end of both.
struct SetRun {
  std::vector<SetDevice> devices;
  std::vector<std::string> expected;  // all entries, in order

  std::string summary() const;
  // Pairs of publishes of two devices that were made on the same version.
  std::vector<std::pair<SetPublish, SetPublish>> made_on_one_version() const;
  // Those of them of which neither device was told that it lost.
  std::vector<std::string> untold() const;
};

class SetWriters {
 public:
  SetWriters();  // with a new key
  const sync::IpnsName& name() const { return name_; }
  std::string secret_hex() const;
  // The record key in the form that `ipfs key import` takes.
  std::string libp2p_key() const;

  SetRun run(const SetWriting& how) const;
  // One device, until the set has `entries` entries. It goes on where it was if it ran there
  // before. `adapt` may change how it is started.
  SetDevice run_one(const SetWriting& how, const std::string& name, int entries,
                    const std::function<void(Command&)>& adapt = nullptr) const;
  // The entries that a reader without any state finds there: in order, only of devices.
  std::vector<std::string> read(const SetWriting& how) const;

 private:
  Command command(const SetWriting& how, const std::string& name, int entries) const;

  std::string secret_;  // 32 bytes
  sync::IpnsName name_;
};

// How often a test repeats what it does: IPNSCAST_WRITER_ROUNDS, else once. With
// IPNSCAST_WRITER_LOGS=DIR the devices' whole output is added to a.log and b.log there.
int writer_rounds();

}  // namespace ipnscast::test
