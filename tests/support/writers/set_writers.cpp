#include "ipnscast/tests/support/writers/set_writers.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"

namespace ipnscast::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kEnding{30'000};  // to close, behind the deadline
constexpr size_t kShownOutput = 2'000;

SetDevice read_device(std::string name, const Ran& ran) {
  SetDevice out;
  out.name = std::move(name);
  const size_t from = ran.out.size() > kShownOutput ? ran.out.size() - kShownOutput : 0;
  out.output = ran.out.substr(from) + ran.err.substr(0, kShownOutput);
  if (const char* const folder = std::getenv("IPNSCAST_WRITER_LOGS"); folder != nullptr)
    std::ofstream(fs::path(folder) / (out.name + ".log"), std::ios::app)
        << ran.out << ran.err << '\n';
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object()) continue;
    if (event.contains("published")) {
      out.published.push_back({event["on"], event["published"], event["value"]});
    } else if (event.contains("lost") && event["lost"].is_string()) {
      out.lost.push_back(event["lost"]);
    } else if (event.contains("done")) {
      out.done = event["done"] && ran.exit == 0;
      out.own = event["own"];
      out.entries = event["entries"];
      out.sequence = event["sequence"];
      out.refused = event["refused"];
      out.took = std::chrono::milliseconds(event["ms"].get<int64_t>());
    }
  }
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> entries) {
  std::sort(entries.begin(), entries.end());
  return entries;
}

sync::IpnsKey key_of(const std::string& secret) {
  return *sync::IpnsKey::derive_ed25519(as_bytes(secret));
}

}  // namespace

int writer_rounds() {
  const char* const wanted = std::getenv("IPNSCAST_WRITER_ROUNDS");
  return wanted == nullptr ? 1 : std::max(1, std::atoi(wanted));
}

std::string SetRun::summary() const {
  std::string out;
  for (const SetDevice& device : devices) {
    out += device.name + ": " + std::to_string(device.own) + " publishes, " +
           std::to_string(device.refused) + " refused, " + std::to_string(device.lost.size()) +
           " lost, " + std::to_string(device.entries) + " entries at sequence " +
           std::to_string(device.sequence) + " after " + std::to_string(device.took.count()) +
           " ms\n" + device.output + "\n";
  }
  return out;
}

std::vector<std::pair<SetPublish, SetPublish>> SetRun::made_on_one_version() const {
  std::vector<std::pair<SetPublish, SetPublish>> out;
  for (const SetPublish& one : devices.at(0).published) {
    for (const SetPublish& other : devices.at(1).published) {
      if (one.on == other.on && one.value != other.value) out.emplace_back(one, other);
    }
  }
  return out;
}

// A device is told once for its latest publish that is built on the lost one.
std::vector<std::string> SetRun::untold() const {
  const auto told = [](const SetDevice& device, uint64_t sequence) {
    return std::any_of(device.published.begin(), device.published.end(), [&](const auto& publish) {
      return publish.sequence >= sequence &&
             std::find(device.lost.begin(), device.lost.end(), publish.value) != device.lost.end();
    });
  };
  std::vector<std::string> out;
  for (const auto& [one, other] : made_on_one_version()) {
    if (!told(devices[0], one.sequence) && !told(devices[1], other.sequence))
      out.push_back(one.value + " and " + other.value + " on " + std::to_string(one.on));
  }
  return out;
}

SetWriters::SetWriters() : secret_(as_text(random_bytes(32))), name_(key_of(secret_).name()) {}

std::string SetWriters::secret_hex() const { return to_hex(as_bytes(secret_)); }

// The protobuf PrivateKey of libp2p: type Ed25519, seed and public key.
std::string SetWriters::libp2p_key() const {
  const sync::IpnsKey key = key_of(secret_);
  std::string out("\x08\x01\x12\x40", 4);
  out += as_text(key.secret_view());
  out += as_text(key.public_key().data);
  return out;
}

Command SetWriters::command(const SetWriting& how, const std::string& name, int entries) const {
  const fs::path state = how.folder / name / "state";
  fs::create_directories(state);
  Command out;
  out.argv = {build_folder() + "/tests/set_writer",
              "device=" + name,
              "state=" + state.string(),
              "secret=" + secret_hex(),
              "decider=" + how.decider,
              "publishes=" + std::to_string(how.publishes),
              "entries=" + std::to_string(entries),
              "settle_ms=" + std::to_string(how.settle.count()),
              "deadline_ms=" + std::to_string(how.deadline.count()),
              "seed=" + std::to_string(name.front())};
  for (const std::string& url : how.gateways) out.argv.push_back("gateway=" + url);
  if (!how.relay.empty()) out.argv.push_back("relay=" + how.relay);
  return out;
}

SetDevice SetWriters::run_one(const SetWriting& how, const std::string& name, int entries,
                              const std::function<void(Command&)>& adapt) const {
  Command one = command(how, name, entries);
  one.argv.push_back("quiet_ms=0");
  if (adapt) adapt(one);
  return read_device(name, test::run(one, how.deadline + kEnding));
}

SetRun SetWriters::run(const SetWriting& how) const {
  const std::string names[] = {"a", "b"};
  SetRun out;
  std::vector<std::unique_ptr<Process>> processes;
  for (const std::string& name : names) {
    processes.push_back(std::make_unique<Process>(command(how, name, 2 * how.publishes)));
    for (int i = 1; i <= how.publishes; ++i) out.expected.push_back(name + "-" + std::to_string(i));
  }
  out.expected = sorted(std::move(out.expected));
  const auto end = std::chrono::steady_clock::now() + how.deadline + kEnding;
  for (size_t i = 0; i < processes.size(); ++i) {
    std::optional<Ran> ran;
    while (!ran && std::chrono::steady_clock::now() < end) {
      if (how.meanwhile) how.meanwhile();
      ran = processes[i]->wait(std::chrono::milliseconds(200));
    }
    if (!ran) ran = Ran{124, processes[i]->output(), "it did not end"};
    out.devices.push_back(read_device(names[i], *ran));
  }
  return out;
}

std::vector<std::string> SetWriters::read(const SetWriting& how) const {
  const fs::path folder = how.folder / "reader";
  const fs::path target = folder / "set.txt";
  fs::remove_all(folder);
  fs::create_directories(folder);
  Command command;
  command.argv = {program(), "--state",      (folder / "state").string(), "get", name_.to_string(),
                  "-o",      target.string()};
  std::string nodes;
  for (const std::string& url : how.gateways) nodes += (nodes.empty() ? "" : ",") + url;
  command.environment = {{"XDG_CONFIG_HOME", (folder / "config").string()},
                         {"XDG_CACHE_HOME", (folder / "cache").string()},
                         {"IPNSCAST_GATEWAYS_NODES", nodes}};
  const Ran ran = test::run(command);
  if (ran.exit != 0) throw std::runtime_error("ipnscast get: " + ran.err + ran.out);
  std::vector<std::string> out;
  std::ifstream file(target);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("kubo", 0) != 0) out.push_back(line);
  }
  return sorted(std::move(out));
}

}  // namespace ipnscast::test
