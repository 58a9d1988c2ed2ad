#include "ipnscast/tests/support/writers/killed_device.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"

namespace ipnscast::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kSoonEnough{120};

std::string content_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace

KilledDevice::KilledDevice(fs::path folder, const std::string& relay,
                           const std::vector<std::string>& nodes)
    : folder_(std::move(folder)) {
  std::vector<std::string> words{"init", "--json", "--relay", relay};
  for (const std::string& node : nodes) words.insert(words.end(), {"--node", node});
  (void)run("ann", std::move(words));
  fs::copy(folder_ / "ann", folder_ / "bob", fs::copy_options::recursive);
}

Command KilledDevice::command(const std::string& person, std::vector<std::string> words) const {
  const fs::path home = folder_ / person;
  fs::create_directories(home);
  Command out;
  out.argv = {program()};
  out.argv.insert(out.argv.end(), words.begin(), words.end());
  out.environment = {{"HOME", home.string()},
                     {"XDG_CONFIG_HOME", (home / "config").string()},
                     {"XDG_STATE_HOME", (home / "state").string()},
                     {"XDG_DATA_HOME", (home / "data").string()},
                     {"XDG_CACHE_HOME", (home / "cache").string()},
                     {"IPNSCAST_PUBLISH_SETTLE", "100ms"}};
  out.folder = home;
  return out;
}

Ran KilledDevice::run(const std::string& person, std::vector<std::string> words) const {
  const Ran ran = test::run(command(person, std::move(words)), kSoonEnough);
  INFO(ran.err);
  CHECK(ran.exit == 0);
  return ran;
}

std::string KilledDevice::publish(const std::string& person, const std::string& text,
                                  std::vector<std::string> more) const {
  std::ofstream(folder_ / person / "page.txt", std::ios::binary) << text;
  std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  const Ran ran = run(person, std::move(words));
  REQUIRE(ran.exit == 0);
  return "/ipfs/" + json::parse(ran.out).at("cid").get<std::string>();
}

std::vector<std::string> KilledDevice::lost(const std::string& person) const {
  const json history =
      json::parse(run(person, {"history", "self", "--lost", "--json"}).out).at("lost");
  std::vector<std::string> out;
  for (const json& one : history) out.push_back(one.at("value"));
  return out;
}

std::string KilledDevice::read_here(const std::string& value) const {
  const fs::path target = folder_ / "ann" / "lost";
  fs::remove(target);
  Command alone = command("ann", {"get", value, "-o", target.string()});
  alone.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
  alone.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  const Ran got = test::run(alone, kSoonEnough);
  INFO(got.err);
  CHECK(got.exit == 0);
  return content_of(target);
}

std::string KilledDevice::get(const std::string& person) const {
  const fs::path target = folder_ / person / "got";
  fs::remove(target);
  (void)run(person, {"get", "self", "-o", target.string()});
  return content_of(target);
}

void KilledDevice::play(int rounds, uint64_t seed) const {
  std::mt19937_64 random(seed);
  (void)publish("ann", "first");
  (void)get("bob");
  milliseconds learning{400};  // how long it takes
  int killed = 0;
  int after_it_was_told = 0;
  for (int round = 0; round < rounds; ++round) {
    INFO("seed " << seed << ", round " << round);
    const std::string mine = "mine " + std::to_string(round);
    const std::string theirs = "theirs " + std::to_string(round);
    const std::string value = publish("ann", mine);
    (void)publish("bob", theirs, {"--replace"});
    {
      Process watch(command("ann", {"watch", "self", "--json"}));
      std::uniform_int_distribution<int64_t> moment(0, learning.count());
      std::this_thread::sleep_for(milliseconds(moment(random)));  // the moment of the kill
      watch.signal(SIGKILL);
      const auto ended = watch.wait(kSoonEnough);
      REQUIRE(ended);
      killed += ended->exit == 128 + SIGKILL;
      const bool told = ended->out.find("\"lost\"") != std::string::npos;
      after_it_was_told += told;
      learning = told ? std::max(learning * 2 / 3, milliseconds(40)) : learning * 3 / 2;
    }
    CHECK(get("ann") == theirs);
    CHECK(lost("ann") == std::vector<std::string>{value});
    CHECK(read_here(value) == mine);
    (void)run("ann", {"forget", "self", "--lost"});
    CHECK(lost("ann").empty());
    // Nor does it come back with what is learned later.
    CHECK(get("ann") == theirs);
    CHECK(lost("ann").empty());
    CHECK(lost("bob").empty());
  }
  std::cout << killed << " kills, " << after_it_was_told << " after it was told" << std::endl;
  CHECK(killed == rounds);
}

}  // namespace ipnscast::test
