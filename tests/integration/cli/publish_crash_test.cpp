// Publishers and fetchers are killed in the middle of their work; the next start goes on.
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/integration/cli/crash_witness.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/fault_proxy.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Process;
namespace fs = std::filesystem;

constexpr int kKills = 40;
constexpr int kMostRounds = 120;
constexpr Seconds kPatience{30};

// Relay and node in a process of their own, and one publisher's state.
struct World {
  test::TempDir folder;
  fs::path state = folder.path() / "publisher";
  std::unique_ptr<Process> stack;
  std::string relay, gateway, rpc;
  std::unique_ptr<sync::gateway::HttpClient> http = std::move(*sync::gateway::HttpClient::open());

  World() {
    stack = std::make_unique<Process>(
        command({"up", "--port-base", "0", "--dir", stack_folder().string(), "--json"}));
    const auto line = stack->wait_for_line("\"relay\"", kPatience);
    INFO(stack->output());
    REQUIRE(line);
    const json urls = json::parse(*line);
    relay = urls["relay"];
    gateway = urls["gateway"];
    rpc = urls["rpc"];
  }
  fs::path stack_folder() const { return folder.path() / "stack"; }

  Command command(std::vector<std::string> arguments) const {
    Command out;
    out.argv = {test::program(), "--state", state.string()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()},
                       {"XDG_CACHE_HOME", (folder.path() / "cache").string()},
                       {"IPNSCAST_PUBLISH_RETRY_MIN", "100ms"},
                       {"IPNSCAST_PUBLISH_RETRY_MAX", "500ms"},
                       {"IPNSCAST_FETCH_VERSIONS", "2"}};
    return out;
  }
  std::optional<sync::Sequence> node_sequence(const sync::IpnsName& name) const {
    const auto answer = http->fetch(sync::gateway::kubo_name_get_call({rpc, {}}, name));
    const auto bytes =
        answer ? sync::gateway::read_kubo_name_get(*answer) : Result<Bytes>(fail(answer.error()));
    if (!bytes) return std::nullopt;
    const auto record = sync::verify_record(name, *bytes, system_now().wall);
    return record ? std::optional(record->fields().sequence) : std::nullopt;
  }
};

bool eventually(const std::function<bool()>& reached) {
  const Instant end = system_now().steady + kPatience;
  while (!reached()) {
    if (system_now().steady > end) return false;
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return true;
}

// What stands in the state file that a dead process left.
struct Left {
  std::optional<sync::OwnName> own;
  std::vector<sync::Cid> versions;
  size_t missing_pins = 0;
  size_t unwanted_pins = 0;
  size_t owed_records = 0;
};
Left look(const fs::path& state, const sync::IpnsName& name) {
  Left out;
  auto db =
      store::Database::open(state / "state.sqlite", {nostr::outbox_schema(), sync::sync_schema()});
  REQUIRE(db);
  out.own = *sync::load_own_name(**db, name);
  out.versions = *sync::load_versions(**db, name);
  out.missing_pins = sync::load_missing_pins(**db)->size();
  out.unwanted_pins = sync::load_unwanted_pins(**db)->size();
  out.owed_records = sync::load_owed_records(**db)->size();
  return out;
}

// True when it was killed, false when it had ended by itself.
bool kill_after(Process& process, Milliseconds time) {
  std::this_thread::sleep_for(time);
  process.signal(SIGKILL);
  const auto ended = process.wait(kPatience);
  REQUIRE(ended);
  return ended->exit == 128 + SIGKILL;
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("S0-27 a queued publish survives kill -9, and any later run brings it") {
  World world;
  const auto loop = *nostr::net::Loop::start();
  bridge::NodeOptions where{
      .gateway_port = 0, .rpc_port = 0, .directory = world.folder.path() / "node"};
  auto node = *bridge::Node::start(*loop, where);
  where.gateway_port = test::port_of(node->gateway_url());
  where.rpc_port = test::port_of(node->rpc_url());
  world.rpc = node->rpc_url();
  const auto key = sync::StoredKey::generate(sync::StoredKeyType::nostr);
  REQUIRE(sync::KeyStore(world.state / "keys").add("self", key));
  const sync::IpnsName name = key.ipns_key()->name();
  const auto command = [&](std::vector<std::string> arguments) {
    Command out = world.command(std::move(arguments));
    out.environment["IPNSCAST_RELAYS_URLS"] = world.relay;
    out.environment["IPNSCAST_GATEWAYS_NODES"] = world.rpc;
    return out;
  };
  const fs::path file = world.folder.path() / "page.txt";
  std::ofstream(file) << "one";
  const auto first = test::run(command({"publish", "self", file.string()}), kPatience);
  INFO(first.err);
  REQUIRE(first.exit == 0);
  node.reset();
  std::ofstream(file) << "two";
  {
    Process queueing(command({"publish", "self", file.string(), "--queue"}));
    REQUIRE(eventually([&] {
      const auto own = look(world.state, name).own;
      return own && own->sequence == sync::Sequence{2};
    }));
    queueing.signal(SIGKILL);
    REQUIRE(queueing.wait(kPatience));
  }
  CHECK(look(world.state, name).owed_records == 1);
  CHECK(look(world.state, name).missing_pins == 1);
  node = *bridge::Node::start(*loop, where);
  Process later(command({"watch", "self"}));
  CHECK(eventually([&] { return world.node_sequence(name) == sync::Sequence{2}; }));
  CHECK(eventually([&] {
    const Left left = look(world.state, name);
    return left.missing_pins == 0 && left.owed_records == 0;
  }));
}

TEST_CASE(
    "kill -9 in the middle of a publish: the next start finishes what was committed, no sequence "
    "is "
    "used twice, and no pin stays behind") {
  const uint64_t seed = test::test_seed();
  Rng rng(seed);
  World world;
  test::Witness witness(world.relay, world.gateway);
  // Each answer of the node takes a while, so that there is a middle to be killed in.
  test::FaultProxy node(*world.http, world.gateway, world.rpc,
                        {.seed = seed,
                         .shortest = std::chrono::milliseconds(10),
                         .longest = std::chrono::milliseconds(40)});
  const auto key = sync::StoredKey::generate(sync::StoredKeyType::nostr);
  REQUIRE(sync::KeyStore(world.state / "keys").add("self", key));
  const sync::IpnsName name = key.ipns_key()->name();
  const auto command = [&](std::vector<std::string> arguments) {
    Command out = world.command(std::move(arguments));
    out.environment["IPNSCAST_RELAYS_URLS"] = world.relay;
    out.environment["IPNSCAST_GATEWAYS_NODES"] = node.url();
    return out;
  };

  uint64_t last = 0;  // committed
  std::optional<Bytes> last_record;
  int killed = 0;
  std::map<std::string, int> when;
  const fs::path tree = world.folder.path() / "tree";
  fs::create_directories(tree);
  const auto publish_whole = [&](const std::string& text) {
    std::ofstream(tree / "round") << seed << " " << text << "\n";
    const auto ran = test::run(
        command({"publish", "self", tree.string(), "--json", "--timeout", "60s"}), 4 * kPatience);
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    const Left left = look(world.state, name);
    REQUIRE(left.own);
    CHECK(left.own->sequence == sync::Sequence{last + 1});
    last = left.own->sequence.value;
    last_record = left.own->record;
  };
  Milliseconds publish_time{700};
  // Whatever starts next on this state directory finishes it.
  const auto finish = [&](const Left& left) {
    Process next(command({"watch", "self", "--records-only"}));
    INFO("next: " << next.output());
    const sync::Cid value = *sync::root_of(left.own->value);
    CHECK(eventually([&] { return world.node_sequence(name) == sync::Sequence{last}; }));
    CHECK(eventually([&] { return witness.proved(name, last, value.to_string()); }));
    CHECK(eventually([&] {
      const Left then = look(world.state, name);
      return then.missing_pins + then.unwanted_pins + then.owed_records == 0;
    }));
    // Not asked to stop: when nothing was owed, it may not even have begun to listen.
    next.signal(SIGKILL);
    REQUIRE(next.wait(kPatience));
    witness.look_at(name);
  };
  // Until every kind of moment was hit.
  const auto hit_all = [&] {
    return when["committed, not brought everywhere"] > 0 &&
           when["blocks sent, nothing committed"] > 0;
  };
  for (int round = 0; (killed < kKills || !hit_all()) && round < kMostRounds; ++round) {
    INFO("seed " << seed << ", round " << round);
    std::ofstream(tree / "round") << seed << " " << round << "\n";
    const Instant start = system_now().steady;
    Process publish(command({"publish", "self", tree.string(), "--json"}));
    std::uniform_int_distribution<int64_t> moment(0, publish_time.count());
    const bool hit = kill_after(publish, Milliseconds(moment(rng)));
    if (!hit) publish_time = std::chrono::duration_cast<Milliseconds>(system_now().steady - start);
    killed += hit;

    const Left left = look(world.state, name);
    const uint64_t now = left.own ? left.own->sequence.value : 0;
    // Never back, never past the next one, and what was committed stays what it is.
    CHECK((now == last || now == last + 1));
    if (now == last && left.own) CHECK(left.own->record == *last_record);
    const bool owes = left.missing_pins + left.owed_records > 0;
    if (hit) {
      ++when[now == last ? (left.unwanted_pins > 0 ? "blocks sent, nothing committed" : "before")
             : owes      ? "committed, not brought everywhere"
                         : "committed and brought"];
    }
    if (hit && now == last) publish_time += publish_time / 10;  // too early perhaps
    last = now;
    if (!left.own) continue;
    last_record = left.own->record;
    finish(left);
  }
  for (const auto& [moment, count] : when) std::cout << moment << ": " << count << "\n";
  CHECK(killed >= kKills);
  CHECK(hit_all());
  CHECK(witness.used_twice() == std::vector<std::string>{});

  // The node keeps exactly the versions that are wanted.
  for (const char* text : {"one", "two", "three"}) publish_whole(text);
  finish(look(world.state, name));
  const Left left = look(world.state, name);
  CHECK(left.versions.size() == 3);
  world.stack->signal(SIGINT);
  REQUIRE(world.stack->wait(kPatience));
  const auto store =
      bridge::BlockStore::open(world.stack_folder() / "node" / "blocks.db", uint64_t{1} << 30);
  REQUIRE(store);
  const auto pins = (*store)->pins();
  REQUIRE(pins);
  CHECK(std::set<sync::Cid>(pins->begin(), pins->end()) ==
        std::set<sync::Cid>(left.versions.begin(), left.versions.end()));
}

TEST_CASE(
    "kill -9 in the middle of a get: what was verified stays, the target is whole or absent") {
  const uint64_t seed = test::test_seed();
  Rng rng(seed);
  World world;
  const fs::path tree = world.folder.path() / "tree";
  fs::create_directories(tree);
  std::string part(3'000'000, ' ');
  for (int i = 0; i < 20; ++i) {
    for (char& c : part) c = static_cast<char>(rng());
    std::ofstream(tree / std::to_string(i), std::ios::binary) << part;
  }
  const auto run = [&](const fs::path& state, std::vector<std::string> arguments) {
    Command out = world.command(std::move(arguments));
    out.argv[2] = state.string();
    out.environment["IPNSCAST_GATEWAYS_NODES"] = world.gateway + "," + world.rpc;
    return out;
  };
  REQUIRE(sync::KeyStore(world.state / "keys")
              .add("self", sync::StoredKey::generate(sync::StoredKeyType::nostr)));
  const test::Ran published =
      test::run(run(world.state, {"publish", "self", tree.string(), "--json", "--timeout", "60s"}),
                4 * kPatience);
  INFO(published.err);
  REQUIRE(published.exit == 0);
  const std::string cid = json::parse(published.out)["cid"];

  const fs::path reader = world.folder.path() / "reader";
  const fs::path target = world.folder.path() / "copy";
  uint64_t kept = 0;
  int killed = 0;
  int in_the_middle = 0;
  Milliseconds get_time{300};
  for (int round = 0; (killed < 12 || in_the_middle == 0) && round < 60; ++round) {
    INFO("seed " << seed << ", round " << round);
    Process get(run(reader, {"get", cid, "-o", target.string()}));
    std::uniform_int_distribution<int64_t> moment(0, get_time.count());
    const bool hit = kill_after(get, Milliseconds(moment(rng)));
    killed += hit;
    uint64_t now = 0;
    if (fs::exists(reader / "cache")) {
      const auto cache = sync::BlockCache::open(reader / "cache");
      REQUIRE(cache);
      now = (*cache)->stats().bytes;
    }
    CHECK(now >= kept);
    in_the_middle += hit && now > kept && now < 60'000'000;
    kept = now;
    if (fs::exists(target)) {
      for (int i = 0; i < 20; ++i)
        CHECK(content_of(target / std::to_string(i)) == content_of(tree / std::to_string(i)));
      fs::remove_all(target);
      fs::remove_all(reader);
      kept = 0;
    } else {
      get_time += Milliseconds(50);
    }
  }
  CHECK(killed >= 12);
  CHECK(in_the_middle > 0);
  std::cout << killed << " kills, " << in_the_middle << " in the middle of the content\n";
  const test::Ran whole = test::run(run(reader, {"get", cid, "-o", target.string()}));
  INFO(whole.err);
  REQUIRE(whole.exit == 0);
  for (int i = 0; i < 20; ++i)
    CHECK(content_of(target / std::to_string(i)) == content_of(tree / std::to_string(i)));
}

}  // namespace ipnscast
