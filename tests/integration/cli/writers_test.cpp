// Two devices with one key, each a process, publish side by side; our node decides between them.
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/writers/racing_writers.h"
#include "ipnscast/tests/support/writers/set_writers.h"
#include "ipnscast/tests/support/wrong_clock.h"

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
    command.argv = {
        test::program(), "up", "--port-base", "0", "--dir", (folder.path() / "stack").string(),
        "--json"};
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

TEST_CASE(
    "of two devices that publish on the same version at the same moment exactly one wins at our "
    "node, and the other is told so (R34, S0-63)") {
  const Stack stack;
  const test::TempDir work;
  const test::Race run = test::race({.folder = work.path(),
                                     .gateways = {stack.gateway, stack.rpc},
                                     .relay = stack.relay,
                                     .decider = stack.gateway,
                                     .rounds = 50});
  INFO(run.output);
  CHECK(run.rounds == 50);
  CHECK(run.one_winner == 50);
  CHECK(run.troubles == std::vector<std::string>{});
}

TEST_CASE(
    "where nobody decides, no second device that published on the same version is left untold "
    "(R33, R34, S0-63)") {
  const Stack stack;
  const test::TempDir work;
  const test::Race run = test::race({.folder = work.path(),
                                     .gateways = {stack.gateway, stack.rpc},
                                     .relay = stack.relay,
                                     .rounds = 12 * test::writer_rounds(),
                                     .settle = std::chrono::milliseconds(1'000)});
  INFO(run.output);
  CHECK(run.rounds == 12 * test::writer_rounds());
  CHECK(run.none == 0);
  CHECK(run.two == std::vector<std::string>{});
  CHECK(run.troubles == std::vector<std::string>{});
}

TEST_CASE(
    "sixty publishes within one second all succeed in order, and hold up neither this device nor "
    "the next one (R36)") {
  const Stack stack;
  const test::TempDir work;
  const test::WrongClock clock(test::faketime_library().value_or(""), work.path() / "clock", "+0");
  const SetWriters writers;
  SetWriting how{.folder = work.path(),
                 .gateways = {stack.gateway, stack.rpc},
                 .relay = stack.relay,
                 .decider = stack.gateway,
                 .deadline = std::chrono::minutes(5)};
  std::function<void(Command&)> adapt;
  SECTION("as fast as they go") {}
  SECTION("by a clock that stands still") {
    if (!test::faketime_library()) SKIP_TEST("libfaketime is not there (package faketime)");
    clock.stand_still();
    adapt = [&](Command& command) { clock.put_on(command); };
  }
  const auto publish = [&](const std::string& name, int publishes, int entries, const auto& with) {
    how.publishes = publishes;
    test::SetDevice device = writers.run_one(how, name, entries, with);
    INFO(device.output);
    CHECK(device.done);
    CHECK(device.lost.empty());
    return device;
  };
  const auto sixty = publish("a", 60, 60, adapt);
  CHECK(sixty.refused == 0);
  std::vector<uint64_t> sequences;
  for (const test::SetPublish& one : sixty.published) sequences.push_back(one.sequence);
  std::vector<uint64_t> expected(60);
  std::iota(expected.begin(), expected.end(), uint64_t{1});
  CHECK(sequences == expected);
  CHECK(writers.read(how).size() == 60);
  // Their clocks are right, and behind what the sixty have as their times.
  CHECK(publish("b", 1, 61, nullptr).sequence == 61);
  CHECK(publish("a", 1, 61, nullptr).sequence == 62);
  CHECK(writers.read(how).size() == 61);
  std::cout << "sixty publishes took " << sixty.took.count() << " ms" << std::endl;
}

}  // namespace ipnscast
