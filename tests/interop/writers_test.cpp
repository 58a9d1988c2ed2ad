// Two devices with one key publish side by side at Kubo nodes, where nobody decides between them;
// and beside Kubo itself, which signs with the same key.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/test_seed.h"
#include "ipnscast/tests/support/writers/killed_device.h"
#include "ipnscast/tests/support/writers/racing_writers.h"
#include "ipnscast/tests/support/writers/set_writers.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr int kForeignPublishes = 8;
constexpr std::chrono::milliseconds kBetweenForeign{4'000};

// Two Kubo nodes that do not know each other, and a relay.
struct Stage {
  explicit Stage(const std::filesystem::path& kubo) : first(kubo), second(kubo) {
    first.start();
    second.start();
    Command command = our_program(
        {"up", "--port-base", "0", "--dir", (folder.path() / "stack").string(), "--json"});
    command.environment["XDG_CONFIG_HOME"] = (folder.path() / "config").string();
    relay_process = std::make_unique<Process>(command);
    const auto line = relay_process->wait_for_line("\"relay\"", std::chrono::seconds(30));
    if (!line) throw std::runtime_error(relay_process->output());
    relay = nlohmann::json::parse(*line)["relay"];
  }
  SetWriting writing() const {
    return {.folder = work.path(),
            .gateways = {first.rpc(), second.rpc(), first.gateway(), second.gateway()},
            .relay = relay,
            .settle = std::chrono::milliseconds(300)};
  }

  TempDir folder;
  TempDir work;
  KuboNode first;
  KuboNode second;
  std::unique_ptr<Process> relay_process;
  std::string relay;
};

void check(const SetRun& run) {
  for (const SetDevice& device : run.devices) {
    CHECK(device.done);
    CHECK(device.own == 60);
  }
  std::cout << "took " << run.devices[0].took.count() << " and " << run.devices[1].took.count()
            << " ms, refused " << run.devices[0].refused << " and " << run.devices[1].refused
            << ", lost " << run.devices[0].lost.size() << " and " << run.devices[1].lost.size()
            << std::endl;
}

}  // namespace

TEST_CASE(
    "two devices that publish side by side at two Kubo nodes lose nothing, and no one wins a "
    "version twice untold (R33, R34, S0-63, S0-65, S0-67, S2-10)") {
  const auto kubo = peer("kubo");
  if (!kubo) SKIP_TEST(kubo.error());
  for (int round = 0; round < writer_rounds(); ++round) {
    const Stage stage(*kubo);
    const SetWriters writers;
    const SetWriting how = stage.writing();
    const SetRun run = writers.run(how);
    INFO(run.summary());
    check(run);
    CHECK(run.untold() == std::vector<std::string>{});
    CHECK(writers.read(how) == run.expected);
  }
}

TEST_CASE(
    "two devices lose nothing beside a third writer that is Kubo itself, which merges nothing "
    "(R33, S0-63, S0-67)") {
  const auto kubo = peer("kubo");
  if (!kubo) SKIP_TEST(kubo.error());
  for (int round = 0; round < writer_rounds(); ++round) {
    Stage stage(*kubo);
    const SetWriters writers;
    const auto key_file = stage.work.path() / "key";
    std::ofstream(key_file, std::ios::binary) << writers.libp2p_key();
    stage.first.ask(
        {"key", "import", "shared", "--format=libp2p-protobuf-cleartext", key_file.string()});
    int published = 0;
    auto next = std::chrono::steady_clock::now() + kBetweenForeign;
    SetWriting how = stage.writing();
    how.meanwhile = [&] {
      if (published == kForeignPublishes || std::chrono::steady_clock::now() < next) return;
      ++published;
      const std::string cid =
          stage.first.ask({"add", "-Q", "--cid-version=1"}, "kubo-" + std::to_string(published));
      stage.first.ask({"name", "publish", "--key=shared", "--allow-offline", "/ipfs/" + cid});
      next = std::chrono::steady_clock::now() + kBetweenForeign;
    };
    const SetRun run = writers.run(how);
    INFO(run.summary());
    check(run);
    CHECK(published > 0);
    CHECK(writers.read(how) == run.expected);
  }
}

TEST_CASE(
    "of two devices that publish on the same version at the same moment, at two Kubo nodes, the "
    "one that does not win is told so by its own call, with a relay and without (R33, R34, "
    "S0-63)") {
  const auto kubo = peer("kubo");
  if (!kubo) SKIP_TEST(kubo.error());
  const Stage stage(*kubo);
  const SetWriting places = stage.writing();
  const int rounds = 10 * writer_rounds();
  for (const std::string& relay : {places.relay, std::string()}) {
    const TempDir folder;
    const Race run = race(
        {.folder = folder.path(), .gateways = places.gateways, .relay = relay, .rounds = rounds});
    INFO((relay.empty() ? "no relay\n" : "a relay\n") << run.output);
    CHECK(run.rounds == rounds);
    // Kubo takes both records where they cross: then both may be told, and both try again.
    CHECK(run.none < rounds / 2);
    CHECK(run.two == std::vector<std::string>{});
    CHECK(run.troubles == std::vector<std::string>{});
  }
}

TEST_CASE(
    "a device that publishes to Kubo, and is killed when it learns of a loss, still has it told, "
    "readable and struck off exactly once (R33, S0-67)") {
  const auto kubo = peer("kubo");
  if (!kubo) SKIP_TEST(kubo.error());
  const Stage stage(*kubo);
  const SetWriting places = stage.writing();
  const KilledDevice device(places.folder, places.relay, places.gateways);
  device.play(8 * writer_rounds(), test_seed());
}
