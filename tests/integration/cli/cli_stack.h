#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

// The program as a user types it, against an embedded relay and node on loopback.
namespace ipnscast::test {

using nlohmann::json;
namespace fs = std::filesystem;

inline const std::chrono::seconds kSoon(120);

inline void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}
inline std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// A relay and a node, and people who use them.
class Stack {
 public:
  explicit Stack(nostr::server::RelayServerOptions relay = {.port = 0}) {
    relay_ = std::move(*nostr::server::RelayServer::start(*loop_, std::move(relay)));
    bridge::NodeOptions node;
    node.gateway_port = 0;
    node.rpc_port = 0;
    node_ = std::move(*bridge::Node::start(*loop_, node));
  }

  const fs::path& folder() const { return folder_.path(); }
  std::string relay_url() const { return relay_->url(); }
  std::string gateway_url() const { return node_->gateway_url(); }
  std::string rpc_url() const { return node_->rpc_url(); }

  // The program with these arguments, at home in a folder of this person's.
  Command command(const std::string& person, std::vector<std::string> arguments) const {
    Command out;
    out.argv = {test::program()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    const fs::path home = folder() / person;
    fs::create_directories(home);
    out.environment = {{"HOME", home.string()},
                       {"XDG_CONFIG_HOME", (home / "config").string()},
                       {"XDG_STATE_HOME", (home / "state").string()},
                       {"XDG_DATA_HOME", (home / "data").string()},
                       {"XDG_CACHE_HOME", (home / "cache").string()}};
    out.folder = home;
    return out;
  }
  Ran run(const std::string& person, std::vector<std::string> arguments) const {
    return ipnscast::test::run(command(person, std::move(arguments)), kSoon);
  }
  // Makes a configuration for the stack; the facts that `init` prints.
  json init(const std::string& person) const {
    const Ran made = run(person, {"init", "--json", "--relay", relay_url(), "--node",
                                  node_->gateway_url(), "--node", node_->rpc_url()});
    INFO(made.err);
    REQUIRE(made.exit == 0);
    return json::parse(made.out);
  }

 private:
  TempDir folder_;
  std::unique_ptr<nostr::net::Loop> loop_ = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relay_;
  std::unique_ptr<bridge::Node> node_;
};

}  // namespace ipnscast::test
