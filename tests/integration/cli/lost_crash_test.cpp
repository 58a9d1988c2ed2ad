// A device is killed about when it learns that what it published was displaced (R33).
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/integration/cli/crash_witness.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

using std::chrono::milliseconds;

// Eight, times IPNSCAST_WRITER_ROUNDS.
int rounds() {
  const char* const wanted = std::getenv("IPNSCAST_WRITER_ROUNDS");
  return 8 * (wanted == nullptr ? 1 : std::max(1, std::atoi(wanted)));
}

class Devices {
 public:
  Devices() {
    stack_.init("ann");
    fs::copy(stack_.folder() / "ann", stack_.folder() / "bob", fs::copy_options::recursive);
  }
  Command command(const std::string& person, std::vector<std::string> words) const {
    Command out = stack_.command(person, std::move(words));
    out.environment["IPNSCAST_PUBLISH_SETTLE"] = "100ms";
    return out;
  }
  Ran run(const std::string& person, std::vector<std::string> words) const {
    const Ran ran = test::run(command(person, std::move(words)), kSoon);
    INFO(ran.err);
    CHECK(ran.exit == 0);
    return ran;
  }
  // The value that it gave the name.
  std::string publish(const std::string& person, const std::string& text,
                      std::vector<std::string> more = {}) const {
    write(stack_.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = run(person, std::move(words));
    REQUIRE(ran.exit == 0);
    return "/ipfs/" + json::parse(ran.out).at("cid").get<std::string>();
  }
  std::vector<std::string> lost(const std::string& person) const {
    const json history =
        json::parse(run(person, {"history", "self", "--lost", "--json"}).out).at("lost");
    std::vector<std::string> out;
    for (const json& one : history) out.push_back(one.at("value"));
    return out;
  }
  // As this device has it, with nobody else there.
  std::string read_here(const std::string& person, const std::string& value) const {
    const fs::path target = stack_.folder() / person / "lost";
    fs::remove(target);
    Command alone = command(person, {"get", value, "-o", target.string()});
    alone.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
    alone.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
    const Ran got = test::run(alone, kSoon);
    INFO(got.err);
    CHECK(got.exit == 0);
    return read(target);
  }
  std::string get(const std::string& person) const {
    const fs::path target = stack_.folder() / person / "got";
    fs::remove(target);
    run(person, {"get", "self", "-o", target.string()});
    return read(target);
  }

 private:
  Stack stack_;
};

}  // namespace

TEST_CASE(
    "a device that is killed when it learns of a loss still has it told, readable and struck off "
    "exactly once (R33, S0-67)") {
  const uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  const Devices world;
  (void)world.publish("ann", "first");
  (void)world.get("bob");
  milliseconds learning{400};  // how long it takes
  int killed = 0;
  int after_it_was_told = 0;
  for (int round = 0; round < rounds(); ++round) {
    INFO("seed " << seed << ", round " << round);
    const std::string mine = "mine " + std::to_string(round);
    const std::string theirs = "theirs " + std::to_string(round);
    const std::string value = world.publish("ann", mine);
    (void)world.publish("bob", theirs, {"--replace"});
    {
      Process watch(world.command("ann", {"watch", "self", "--json"}));
      std::uniform_int_distribution<int64_t> moment(0, learning.count());
      std::this_thread::sleep_for(milliseconds(moment(random)));  // the moment of the kill
      watch.signal(SIGKILL);
      const auto ended = watch.wait(kSoon);
      REQUIRE(ended);
      killed += ended->exit == 128 + SIGKILL;
      const bool told = ended->out.find("\"lost\"") != std::string::npos;
      after_it_was_told += told;
      learning = told ? std::max(learning * 2 / 3, milliseconds(40)) : learning * 3 / 2;
    }
    CHECK(world.get("ann") == theirs);
    CHECK(world.lost("ann") == std::vector<std::string>{value});
    CHECK(world.read_here("ann", value) == mine);
    world.run("ann", {"forget", "self", "--lost"});
    CHECK(world.lost("ann").empty());
    // Nor does it come back with what is learned later.
    CHECK(world.get("ann") == theirs);
    CHECK(world.lost("ann").empty());
    CHECK(world.lost("bob").empty());
  }
  std::cout << killed << " kills, " << after_it_was_told << " after it was told" << std::endl;
  CHECK(killed == rounds());
}
