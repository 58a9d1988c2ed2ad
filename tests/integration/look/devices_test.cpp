// `devices` and `publish --wait-applied`: what our other devices have taken in.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Two devices of one person: the same configuration and key, a state of its own each.
struct Pair {
  Stack stack;
  std::string name = stack.init("desk")["name"];
  std::string note = (stack.folder() / "note").string();

  Pair() {
    for (const char* const part : {"config", "data"}) {
      fs::create_directories(stack.folder() / "laptop");
      fs::copy(stack.folder() / "desk" / part, stack.folder() / "laptop" / part,
               fs::copy_options::recursive);
    }
    write(note, "one");
  }
  Ran publish(std::vector<std::string> more) const {
    std::vector<std::string> all = {"publish", "self", note, "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return stack.run("desk", all);
  }
};

}  // namespace

TEST_CASE(
    "publish --wait-applied ends when another device has taken it in, and says so when it has not "
    "(S3-26)") {
  const Pair pair;
  const Ran nobody = pair.publish({"--wait-applied", "1", "--timeout", "2s"});
  CHECK(nobody.exit == 124);
  CHECK(json::parse(nobody.out)["sequence"] == "1");
  CHECK(nobody.err.find("0 of 1 other devices") != std::string::npos);

  Command command = pair.stack.command("laptop", {"watch", "self", "--exec", "true", "--json"});
  command.environment["IPNSCAST_DEVICES_NAME"] = "laptop";
  Process watch(command);
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  write(pair.note, "two");
  const Ran both = pair.publish({"--wait-applied", "1"});
  INFO(both.err);
  CHECK(both.exit == 0);
  const json outcome = json::parse(both.out);
  CHECK(outcome["sequence"] == "2");
  REQUIRE(outcome["applied"].size() == 1);
  CHECK(outcome["applied"][0]["name"] == "laptop");

  const Ran listed = pair.stack.run("desk", {"devices", "--json"});
  INFO(listed.err);
  REQUIRE(listed.exit == 0);
  const json devices = json::parse(listed.out)["devices"];
  REQUIRE(devices.size() == 1);
  CHECK(devices[0]["name"] == "laptop");
  CHECK(devices[0]["this"] == false);
  CHECK(devices[0]["names"][0]["name"] == pair.name);
  CHECK(devices[0]["names"][0]["sequence"] == "2");
  const Ran text = pair.stack.run("desk", {"devices"});
  CHECK(text.out.starts_with("laptop"));
  // Beside the watch, on its own device.
  const Ran own = pair.stack.run("laptop", {"devices", "--json"});
  REQUIRE(own.exit == 0);
  CHECK(json::parse(own.out)["devices"][0]["this"] == true);
  watch.signal(SIGINT);
  REQUIRE(watch.wait(kSoon));
}

TEST_CASE("devices wants a relay and a key, and says how to get them") {
  const Stack stack;
  stack.init("ann");
  auto none = stack.command("ann", {"devices", "--json"});
  none.environment["IPNSCAST_RELAYS_URLS"] = "";
  CHECK(test::run(none, kSoon).exit == 2);
  auto dead = stack.command("ann", {"devices", "--json"});
  dead.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  const Ran ran = test::run(dead, kSoon);
  CHECK(ran.exit == 3);
  CHECK(json::parse(ran.err)["error"]["code"] == "unreachable");
  CHECK(stack.run("ann", {"publish", "self", "x", "--wait-applied", "0"}).exit == 2);
}
