// Readers, publishers and bridges are killed at random points, and a ledger that none of them holds
// tells whether the promises were kept.
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tests/integration/cli/crash_witness.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Process;
namespace fs = std::filesystem;

constexpr int kKills = 60;
constexpr int kMostRounds = 200;
constexpr Seconds kPatience{30};

// One line of the ledger: what the reader was handed.
struct Entry {
  std::string name;
  uint64_t sequence = 0;
  std::string cid;
};

// Somebody with a key and a state directory.
struct Person {
  fs::path state;
  nostr::PublicKey author;
  sync::IpnsName name;

  static Person make(const fs::path& state) {
    const auto key = sync::StoredKey::generate(sync::StoredKeyType::nostr);
    REQUIRE(sync::KeyStore(state / "keys").add("self", key));
    return {state, key.nostr_key()->public_key(), key.ipns_key()->name()};
  }
};

class World {
 public:
  World() {
    stack_ = std::make_unique<Process>(command(
        folder(), {"up", "--port-base", "0", "--dir", (folder() / "stack").string(), "--json"}));
    const auto line = stack_->wait_for_line("\"relay\"", kPatience);
    INFO(stack_->output());
    REQUIRE(line);
    const json urls = json::parse(*line);
    relay_ = urls["relay"];
    gateway_ = urls["gateway"];
    rpc_ = urls["rpc"];
    witness = std::make_unique<test::Witness>(relay_, gateway_);
  }

  const fs::path& folder() const { return folder_.path(); }

  // Publishes a new tree under the person's name. `quietly`: without a relay, so that only the
  // bridge can find it.
  std::unique_ptr<Process> start_publish(const Person& who, bool quietly, const fs::path& tree) {
    Command publish = command(who.state, {"publish", "self", tree.string(), "--json"});
    if (quietly) publish.environment.erase("IPNSCAST_RELAYS_URLS");
    return std::make_unique<Process>(publish);
  }
  void start_reader() {
    reader.reset();
    const std::string note =
        "echo \"$IPNSCAST_NAME $IPNSCAST_SEQUENCE $IPNSCAST_CID\" >> " + ledger_file().string();
    Command watch = command(folder() / "reader", {"watch", loud.name.to_string(),
                                                  quiet.name.to_string(), "--exec", note});
    watch.environment["IPNSCAST_TRUST_AUTHORS"] = nostr::encode_npub(loud.author) + "," +
                                                  nostr::encode_npub(bridging.author) + "," +
                                                  nostr::encode_npub(liar->public_key());
    // So rarely that polling cannot make up for a hint that was lost.
    for (const char* const key : {"POLL_MIN", "POLL_MAX", "POLL_HEALTHY"})
      watch.environment[std::string("IPNSCAST_SOURCES_") + key] = "10m";
    reader = std::make_unique<Process>(watch);
  }
  void start_bridge() {
    bridge.reset();
    Command run = command(bridging.state, {"bridge"});
    run.environment["IPNSCAST_BRIDGE_NAMES"] = loud.name.to_string() + "," + quiet.name.to_string();
    run.environment["IPNSCAST_BRIDGE_POLL"] = "100ms to 300ms";
    bridge = std::make_unique<Process>(run);
  }

  fs::path ledger_file() const { return folder() / "ledger"; }
  std::vector<Entry> ledger() const {
    std::vector<Entry> out;
    std::ifstream in(ledger_file());
    for (Entry e; in >> e.name >> e.sequence >> e.cid;) out.push_back(e);
    return out;
  }
  // What the reader holds of the name now is this.
  bool wait_until_handed(const sync::IpnsName& name, const std::string& cid) const {
    const Instant deadline = system_now().steady + kPatience;
    do {
      std::string last;
      for (const Entry& entry : ledger()) {
        if (entry.name == name.to_string()) last = entry.cid;
      }
      if (last == cid) return true;
      std::this_thread::sleep_for(Milliseconds(20));
    } while (system_now().steady < deadline);
    return false;
  }

  // A trusted author claims that the name has content which exists but was never published there.
  void lie(const sync::IpnsName& name, const std::string& cid, uint64_t sequence) {
    const sync::HintDraft draft{.name = name,
                                .cid = *sync::Cid::parse(cid),
                                .sequence = {sequence},
                                .timestamp = system_now().wall,
                                .version = 0,
                                .device_id = {},
                                .parent = {},
                                .record = {}};
    const auto event = sync::make_hint_event(draft, system_now().seconds());
    witness->publish(nostr::sign_event(*liar, *event));
  }

 private:
  test::TempDir folder_;
  std::string relay_, gateway_, rpc_;
  std::unique_ptr<Process> stack_;

  Command command(const fs::path& state, std::vector<std::string> arguments) const {
    Command out;
    out.argv = {test::program(), "--state", state.string()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"XDG_CONFIG_HOME", (folder() / "config").string()}};
    if (relay_.empty()) return out;
    out.environment["IPNSCAST_RELAYS_URLS"] = relay_;
    out.environment["IPNSCAST_GATEWAYS_NODES"] = gateway_ + "," + rpc_;
    return out;
  }

 public:
  std::optional<nostr::SecretKey> liar = nostr::SecretKey::generate();
  Person loud = Person::make(folder() / "loud");
  Person quiet = Person::make(folder() / "quiet");
  Person bridging = Person::make(folder() / "bridge");
  std::unique_ptr<test::Witness> witness;
  std::unique_ptr<Process> reader;
  std::unique_ptr<Process> bridge;
};

// Kills it. False when it had ended by itself.
bool kill_now(Process& process) {
  process.signal(SIGKILL);
  const auto ended = process.wait(kPatience);
  REQUIRE(ended);
  return ended->exit == 128 + SIGKILL;
}

// Runs the publish to its end. The CID that it made the name's value.
std::string finish_publish(Process& process) {
  const auto ended = process.wait(kPatience);
  INFO(process.output());
  REQUIRE(ended);
  REQUIRE(ended->exit == 0);
  return json::parse(ended->out)["cid"];
}

void check_ledger(const World& world) {
  std::map<std::string, uint64_t> last;
  for (const Entry& entry : world.ledger()) {
    INFO(entry.name << " " << entry.sequence << " " << entry.cid);
    CHECK(world.witness->proved(*sync::IpnsName::parse(entry.name), entry.sequence, entry.cid));
    CHECK(entry.sequence >= last[entry.name]);
    last[entry.name] = entry.sequence;
  }
}

}  // namespace

TEST_CASE(
    "kill -9 of reader, publisher and bridge at random points: no change is lost, none is handed "
    "over unverified, no sequence is used twice, nothing is announced twice (R32)") {
  const uint64_t seed = test::test_seed();
  Rng rng(seed);
  const auto random = [&rng](int most) { return std::uniform_int_distribution<int>(0, most)(rng); };

  World world;
  world.start_reader();
  world.start_bridge();
  std::map<std::string, int> kills;
  int killed = 0;
  Milliseconds publish_time{200};  // of the last one that came to its end
  std::string other_cid;           // of the other name's content
  for (int round = 0; killed < kKills && round < kMostRounds; ++round) {
    const bool quietly = random(1) == 0;
    const Person& who = quietly ? world.quiet : world.loud;
    const fs::path tree = world.folder() / "tree";
    fs::create_directories(tree);
    std::ofstream(tree / "round") << seed << " " << round << "\n";

    Instant start = system_now().steady;
    auto publisher = world.start_publish(who, quietly, tree);
    if (round % 5 == 4 && !other_cid.empty()) world.lie(who.name, other_cid, 100'000);
    const char* const victims[] = {"publisher", "reader", "bridge"};
    const std::string victim = victims[killed % 3];
    // The others work on the change for a while after it was published.
    const auto longest = static_cast<int>(publish_time.count()) * (victim == "publisher" ? 1 : 2);
    std::this_thread::sleep_for(Milliseconds(random(longest)));
    INFO("seed " << seed << ", round " << round << ", " << victim << (quietly ? ", quiet" : ""));
    if (victim == "publisher") {
      const bool hit = kill_now(*publisher);
      killed += hit;
      kills[victim] += hit;
      world.witness->look_at(who.name);
      start = system_now().steady;
      publisher = world.start_publish(who, quietly, tree);
    } else {
      REQUIRE(kill_now(victim == "reader" ? *world.reader : *world.bridge));
      ++killed;
      ++kills[victim];
      victim == "reader" ? world.start_reader() : world.start_bridge();
    }
    const std::string cid = finish_publish(*publisher);
    publish_time = std::chrono::duration_cast<Milliseconds>(system_now().steady - start);
    world.witness->look_at(who.name);
    if (!world.wait_until_handed(who.name, cid)) {
      FAIL("lost: " << cid << "\nreader: " << world.reader->output()
                    << "\nbridge: " << world.bridge->output());
    }
    other_cid = cid;
  }
  for (const auto& [victim, count] : kills) std::cout << victim << " " << count << "  ";
  std::cout << "kills, " << world.witness->records() << " records, " << world.ledger().size()
            << " hand-overs" << std::endl;
  CHECK(killed >= 50);
  CHECK(kills.size() == 3);
  check_ledger(world);
  CHECK(world.witness->used_twice() == std::vector<std::string>{});
  CHECK(world.witness->announced_twice(world.bridging.author) == std::vector<std::string>{});
}

}  // namespace ipnscast
