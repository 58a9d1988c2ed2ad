// Two devices with one key, each a process, publish side by side; our node decides between them.
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/writers/set_writers.h"

namespace ipnscast {
namespace {

using test::Command;
using test::Process;
using test::SetRun;
using test::SetWriters;
using test::SetWriting;

// Relay and node in a process of their own.
struct Stack {
  Stack() {
    Command command;
    command.argv = {IPNSCAST_BINARY_DIR "/tools/ipnscast", "up",    "--port-base", "0", "--dir",
                    (folder.path() / "stack").string(),    "--json"};
    command.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()}};
    process = std::make_unique<Process>(command);
    const auto line = process->wait_for_line("\"relay\"", std::chrono::seconds(30));
    if (!line) throw std::runtime_error(process->output());
    const auto urls = nlohmann::json::parse(*line);
    relay = urls["relay"];
    gateway = urls["gateway"];
    rpc = urls["rpc"];
  }

  test::TempDir folder;
  std::unique_ptr<Process> process;
  std::string relay, gateway, rpc;
};

}  // namespace

TEST_CASE(
    "two devices that publish side by side, and merge what they are refused for, lose nothing; "
    "our node lets one win each time (R33, R34, S0-63, S0-65, S0-67, S2-10)") {
  const Stack stack;
  for (int round = 0; round < test::writer_rounds(); ++round) {
    const test::TempDir work;
    const SetWriters writers;
    SetWriting how{.folder = work.path(),
                   .gateways = {stack.gateway, stack.rpc},
                   .relay = stack.relay,
                   .decider = stack.gateway};
    const SetRun run = writers.run(how);
    INFO(run.summary());
    for (const auto& device : run.devices) {
      CHECK(device.done);
      CHECK(device.own == 60);
      CHECK(device.lost.empty());
    }
    CHECK(run.made_on_one_version().empty());
    CHECK(writers.read(how) == run.expected);
    std::cout << "our node: " << run.devices[0].took.count() << " and "
              << run.devices[1].took.count() << " ms, " << run.devices[0].refused << " and "
              << run.devices[1].refused << " refused" << std::endl;
  }
}

}  // namespace ipnscast
