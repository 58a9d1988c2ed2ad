#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

// Software that others wrote, as tools/peers installs it, and our own program. All of it on
// loopback, on free ports.
namespace ipnscast::test {

// The folder of an installed peer, or the reason why the test has to be skipped.
tl::expected<std::filesystem::path, std::string> peer(const std::string& name);

// `ipnscast ARGUMENTS` of this build.
Command our_program(std::vector<std::string> arguments, std::string input = {});

// A script of tests/interop/peers, with the packages of the Node peer whose folder is given.
Command node_script(const std::filesystem::path& peer_folder, const std::string& script,
                    std::vector<std::string> arguments = {}, std::string input = {});

// A relay that others wrote, with its events in a folder of its own. Stopping and starting it again
// keeps events and port.
class ForeignRelay {
 public:
  // `name` is that of a relay in tools/peers. With `auth` it asks for NIP-42: khatru keeps kind
  // 30078 to its author, rnostr wants it for every EVENT and REQ, nostr-rs-relay for none of ours;
  // the others do not know it. Further `arguments` are the relay's own. Throws when it does not
  // come up.
  ForeignRelay(std::string name, std::filesystem::path peer_folder, bool auth = false,
               std::vector<std::string> arguments = {});

  std::string url() const { return "ws://127.0.0.1:" + port_; }
  void stop() { process_.reset(); }
  void start();
  // What it has printed since it was started.
  std::string output() const { return process_->output(); }

 private:
  Command command() const;

  const std::string name_;
  const std::filesystem::path peer_folder_;
  const bool auth_;
  const std::vector<std::string> arguments_;
  TempDir data_;
  std::string port_ = "0";
  std::unique_ptr<Process> process_;
};

// Kubo with a repository of its own, profile `test`: loopback only, no bootstrap, nobody to talk
// to, no telemetry.
class KuboNode {
 public:
  explicit KuboNode(std::filesystem::path peer_folder);

  // `ipfs ARGUMENTS` on this repository: by the daemon when it runs, else directly.
  Ran ipfs(std::vector<std::string> arguments, std::string input = {});
  // Its output without the line end. Throws with its error output when it fails.
  std::string ask(std::vector<std::string> arguments, std::string input = {});

  // Starts the daemon; throws when it does not come up within a minute. With `offline` it talks to
  // no other node, not even on loopback: it has what it was given.
  void start(bool offline = false);
  void stop();
  // http://127.0.0.1:PORT of the running daemon.
  const std::string& gateway() const { return gateway_; }
  const std::string& rpc() const { return rpc_; }

 private:
  Command command(std::vector<std::string> arguments, std::string input);

  std::filesystem::path program_;
  TempDir repository_;
  std::string gateway_;
  std::string rpc_;
  std::unique_ptr<Process> daemon_;
};

}  // namespace ipnscast::test
