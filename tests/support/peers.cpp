#include "ipnscast/tests/support/peers.h"

#include <signal.h>

#include <cstdlib>
#include <stdexcept>

#include "ipnscast/tests/support/places.h"

namespace ipnscast::test {
namespace {

using namespace std::chrono_literals;

std::filesystem::path recipes() {
  return std::filesystem::path(source_folder()) / "tests/interop/peers";
}

std::string without_line_end(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// "/ip4/127.0.0.1/tcp/5001" and what stands before it, as an URL.
std::string url_in(const std::string& line) {
  return "http://127.0.0.1:" + line.substr(line.rfind('/') + 1);
}

}  // namespace

tl::expected<std::filesystem::path, std::string> peer(const std::string& name) {
  const char* wanted = std::getenv("IPNSCAST_INTEROP");
  if (wanted == nullptr || std::string_view(wanted) != "1")
    return tl::unexpected<std::string>("interop is off (tools/test --interop)");
  const std::string script = source_folder() + "/tools/peers";
  const Ran ran = run({.argv = {script, "--path", name}});
  if (ran.exit != 0) return tl::unexpected<std::string>("no " + name + " (tools/peers)");
  return std::filesystem::path(without_line_end(ran.out));
}

Command our_program(std::vector<std::string> arguments, std::string input) {
  arguments.insert(arguments.begin(), std::string(build_folder()) + "/tools/ipnscast");
  return {.argv = std::move(arguments), .input = std::move(input)};
}

Command node_script(const std::filesystem::path& peer_folder, const std::string& script,
                    std::vector<std::string> arguments, std::string input) {
  std::vector<std::string> argv = {"node", "--no-warnings", "--import",
                                   (recipes() / "from_cache.mjs").string(),
                                   (recipes() / script).string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return {.argv = std::move(argv),
          .input = std::move(input),
          .environment = {{"IPNSCAST_PEER", peer_folder.string()}}};
}

ForeignRelay::ForeignRelay(std::string name, std::filesystem::path peer_folder, bool auth,
                           std::vector<std::string> arguments)
    : name_(std::move(name)),
      peer_folder_(std::move(peer_folder)),
      auth_(auth),
      arguments_(std::move(arguments)) {
  start();
}

Command ForeignRelay::command() const {
  const std::string data = (data_.path() / "events").string();
  if (name_ == "rnostr" || name_ == "nostr-rs-relay") {
    std::vector<std::string> argv = {(recipes() / "relay.sh").string(), name_,
                                     peer_folder_.string(), port_, data};
    if (auth_) argv.emplace_back("--auth");
    argv.insert(argv.end(), arguments_.begin(), arguments_.end());
    return {.argv = std::move(argv)};
  }
  if (name_ == "khatru") {
    std::vector<std::string> argv = {(peer_folder_ / "khatru").string(), "--addr",
                                     "127.0.0.1:" + port_, "--dir", data};
    if (auth_) argv.emplace_back("--auth");
    argv.insert(argv.end(), arguments_.begin(), arguments_.end());
    return {.argv = std::move(argv)};
  }
  std::vector<std::string> arguments = {port_, data};
  arguments.insert(arguments.end(), arguments_.begin(), arguments_.end());
  return node_script(peer_folder_, name_ + "/relay.mjs", std::move(arguments));
}

void ForeignRelay::start() {
  process_ = std::make_unique<Process>(command());
  const auto line = process_->wait_for_line("listening on ", 30s);
  if (!line) throw std::runtime_error(name_ + " did not start: " + process_->output());
  port_ = line->substr(line->rfind(':') + 1);
}

KuboNode::KuboNode(std::filesystem::path peer_folder) : program_(peer_folder / "ipfs") {
  ask({"init", "--profile=test"});
  ask({"config", "--json", "Gateway.ExposeRoutingAPI", "true"});
  ask({"config", "--json", "Gateway.NoFetch", "true"});
}

Command KuboNode::command(std::vector<std::string> arguments, std::string input) {
  arguments.insert(arguments.begin(), program_.string());
  return {.argv = std::move(arguments),
          .input = std::move(input),
          .environment = {{"IPFS_PATH", (repository_.path() / "repo").string()},
                          {"IPFS_TELEMETRY", "off"}}};
}

Ran KuboNode::ipfs(std::vector<std::string> arguments, std::string input) {
  return run(command(std::move(arguments), std::move(input)));
}

std::string KuboNode::ask(std::vector<std::string> arguments, std::string input) {
  const std::string what = arguments.front();
  const Ran ran = ipfs(std::move(arguments), std::move(input));
  if (ran.exit != 0) throw std::runtime_error("ipfs " + what + ": " + ran.err + ran.out);
  return without_line_end(ran.out);
}

void KuboNode::start(bool offline) {
  std::vector<std::string> arguments = {"daemon"};
  if (offline) arguments.emplace_back("--offline");
  daemon_ = std::make_unique<Process>(command(std::move(arguments), {}));
  const auto rpc = daemon_->wait_for_line("RPC API server listening on", 60s);
  const auto gateway = daemon_->wait_for_line("Gateway server listening on", 60s);
  if (!rpc || !gateway || !daemon_->wait_for_line("Daemon is ready", 60s))
    throw std::runtime_error("Kubo did not start: " + daemon_->output());
  rpc_ = url_in(*rpc);
  gateway_ = url_in(*gateway);
}

void KuboNode::stop() {
  if (!daemon_) return;
  daemon_->signal(SIGTERM);
  daemon_->wait(20s);
  daemon_.reset();
}

}  // namespace ipnscast::test
