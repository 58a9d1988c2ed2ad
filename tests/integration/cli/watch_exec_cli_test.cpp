// Commands that `watch` runs on a change, when they hang or fail.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("commands that hang keep no other name waiting, and are ended at their limit") {
  const Stack stack;
  std::vector<std::string> names = {stack.init("ann").at("name")};
  stack.init("bob");
  write(stack.folder() / "ann/site/index.html", "one");
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  for (const std::string label : {"two", "three", "four", "five", "six"}) {
    REQUIRE(stack.run("ann", {"key", "generate", label, "--type", "ed25519"}).exit == 0);
    const Ran published = stack.run("ann", {"publish", label, "site", "--json"});
    INFO(published.err);
    REQUIRE(published.exit == 0);
    names.push_back(json::parse(published.out).at("name"));
  }
  // All but the last one hang, which are more than there are lanes.
  const std::string last = names.back();
  std::vector<std::string> arguments = {"watch", "--json", "--exec",
                                        "test $IPNSCAST_NAME = " + last + " || exec sleep 1000"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  auto watch = stack.command("bob", std::move(arguments));
  watch.environment["IPNSCAST_HANDOVER_HANDLER_TIMEOUT"] = "3s";
  test::Process running(watch);
  const auto line = running.wait_for_line("\"change\"", kSoon);
  INFO(running.output());
  REQUIRE(line);
  CHECK(json::parse(*line).at("name") == last);
  CHECK(running.wait_for_line("has not ended within 3 s", kSoon));
  running.signal(SIGTERM);
  const auto ran = running.wait(kSoon);
  REQUIRE(ran);
  CHECK(ran->exit == 0);
}

TEST_CASE("a change whose command fails comes again with what it changed in the mirror") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  stack.init("bob");
  write(stack.folder() / "ann/site/index.html", "one");
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  test::Process watch(stack.command("bob", {"watch", name, "--mirror", "copy", "--exec",
                                            "test -e again || { touch again; exit 1; }"}));
  const auto added = watch.wait_for_line("added    index.html", kSoon);
  INFO(watch.output());
  CHECK(added);
  CHECK(read(stack.folder() / "bob/copy/index.html") == "one");
  watch.signal(SIGTERM);
  REQUIRE(watch.wait(kSoon));
}
