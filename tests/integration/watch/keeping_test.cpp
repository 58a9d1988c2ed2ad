// `watch --pin` and `--keep-alive`: what it does at nodes for what others publish.
#include <csignal>
#include <functional>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A node of bob's own, which nobody else brings anything to.
class OwnNode {
 public:
  OwnNode() { start(0); }
  std::string rpc() const { return node_->rpc_url(); }
  void stop() { node_.reset(); }

 private:
  void start(int port) {
    bridge::NodeOptions options;
    options.gateway_port = 0;
    options.rpc_port = port;
    node_ = std::move(*bridge::Node::start(*loop_, options));
  }
  std::unique_ptr<nostr::net::Loop> loop_ = std::move(*nostr::net::Loop::start());
  std::unique_ptr<bridge::Node> node_;
};

struct KeepStack {
  Stack stack;
  const json ann = stack.init("ann");
  const std::string name = ann.at("name");
  OwnNode own;

  KeepStack() { stack.init("bob"); }
  std::string publish(const std::string& text) const {
    write(stack.folder() / "ann/site/index.html", text);
    const Ran ran = stack.run("ann", {"publish", "self", "site", "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out).at("cid");
  }
  // Bob reads at ann's gateway, and has a node of his own.
  Command watch(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"watch", name, "--trust", ann.at("npub")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Command out = stack.command("bob", std::move(arguments));
    out.environment["IPNSCAST_GATEWAYS_NODES"] = own.rpc();
    out.environment["IPNSCAST_GATEWAYS_PUBLIC"] = stack.gateway_url();
    return out;
  }
  bool pinned(const std::string& cid) const {
    return has(post("pin/ls?type=recursive&arg=" + cid), "\"recursive\"");
  }
  bool has_record() const {
    return has(post("routing/get?arg=/ipns/" + name + "&offline=true"), "Extra");
  }
  std::string post(const std::string& what) const {
    return raw_http(
        port_of(own.rpc()),
        "POST /api/v0/" + what +
            " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }
  static bool soon(const std::function<bool()>& what) {
    const auto end = std::chrono::steady_clock::now() + kSoon;
    while (!what() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(Milliseconds(50));
    return what();
  }
};

}  // namespace

TEST_CASE("each version is pinned at the own node, and only the last ones stay there (R31)") {
  const KeepStack keep;
  std::vector<std::string> roots = {keep.publish("one")};
  const std::string before = roots.front();
  test::Process watch(keep.watch({"--pin", "--versions", "2"}));
  INFO(watch.output());
  REQUIRE(watch.wait_for_line("sequence 1", kSoon));
  CHECK(keep.pinned(roots[0]));
  for (const std::string text : {"two", "three"}) {
    roots.push_back(keep.publish(text));
    REQUIRE(watch.wait_for_line("sequence " + std::to_string(roots.size()), kSoon));
  }
  CHECK(keep.pinned(roots[2]));
  CHECK(keep.pinned(roots[1]));
  CHECK(keep.soon([&] { return !keep.pinned(roots[0]); }));
  watch.signal(SIGTERM);
  REQUIRE(watch.wait(kSoon));
}

TEST_CASE("a watch that was killed knows again what it has pinned, and takes it off later") {
  const KeepStack keep;
  const std::string first = keep.publish("one");
  {
    test::Process watch(keep.watch({"--pin", "--versions", "1"}));
    REQUIRE(watch.wait_for_line("sequence 1", kSoon));
    watch.signal(SIGKILL);
    REQUIRE(watch.wait(kSoon));
  }
  CHECK(keep.pinned(first));
  const std::string second = keep.publish("two");
  test::Process watch(keep.watch({"--pin", "--versions", "1"}));
  REQUIRE(watch.wait_for_line("sequence 2", kSoon));
  CHECK(keep.pinned(second));
  CHECK(keep.soon([&] { return !keep.pinned(first); }));
}

TEST_CASE("a pin that was at the node before stays when the version is old") {
  const KeepStack keep;
  const std::string first = keep.publish("one");
  {
    test::Process brings(keep.watch({"--pin", "--versions", "1"}));
    REQUIRE(brings.wait_for_line("sequence 1", kSoon));
  }
  // To another state directory this pin is somebody else's.
  {
    test::Process finds(keep.watch({"--pin", "--versions", "1", "--state", "other"}));
    REQUIRE(finds.wait_for_line("sequence 1", kSoon));
    const std::string second = keep.publish("two");
    REQUIRE(finds.wait_for_line("sequence 2", kSoon));
    CHECK(keep.pinned(second));
    CHECK(keep.pinned(first));
  }
}

TEST_CASE("without a node that takes content, a version to pin is told and comes again") {
  KeepStack keep;
  keep.publish("one");
  Command command = keep.watch({"--pin"});
  keep.own.stop();
  test::Process watch(command);
  const auto told = watch.wait_for_line("--pin: no node of gateways.nodes takes content", kSoon);
  INFO(watch.output());
  REQUIRE(told);
  CHECK(has(*told, "it is tried again"));
  CHECK_FALSE(has(watch.output(), "\nchange "));
  Command none = command;
  none.environment["IPNSCAST_GATEWAYS_NODES"] = "";
  const Ran refused = run(none, kSoon);
  CHECK(refused.exit == 2);
  CHECK(has(refused.err, "gateways.nodes"));
}

TEST_CASE("somebody else's record is put to a node that lacks it, without a key (S0-28)") {
  const KeepStack keep;
  keep.publish("one");
  REQUIRE_FALSE(keep.has_record());
  test::Process watch(keep.watch({"--keep-alive", "-v"}));
  INFO(watch.output());
  REQUIRE(watch.wait_for_line("--keep-alive: the record of " + keep.name + " is at ", kSoon));
  CHECK(keep.soon([&] { return keep.has_record(); }));
  watch.signal(SIGTERM);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}
