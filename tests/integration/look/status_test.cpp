// What `status` says, and that it leaves no trace (CLI.md).
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

struct Home {
  Home() : facts(stack.init("ann")) {
    write(note(), "one");
    const Ran published = stack.run("ann", {"publish", "self", "note"});
    INFO(published.err);
    REQUIRE(published.exit == 0);
  }
  fs::path note() const { return stack.folder() / "ann" / "note"; }
  fs::path state() const { return stack.folder() / "ann" / "state" / "ipnscast"; }
  std::string name() const { return facts["name"]; }
  json status() const {
    const Ran ran = stack.run("ann", {"status", "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  }
  std::string text() const { return stack.run("ann", {"status"}).out; }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(state()))
      out.push_back(entry.path().string());
    std::sort(out.begin(), out.end());
    return out;
  }

  Stack stack;
  json facts;
};

}  // namespace

TEST_CASE(
    "status tells names, sources, renewals and who works there, beside it and after (S4-57)") {
  const Home home;
  const json idle = home.status();
  CHECK(idle["owner"].is_null());
  REQUIRE(idle["names"].size() == 1);
  CHECK(idle["names"][0]["own"] == true);
  CHECK(idle["names"][0]["followed"] == false);
  CHECK(idle["names"][0]["renews"].is_string());
  CHECK(home.text().find("nobody works in it now") != std::string::npos);

  const Command follow = home.stack.command("ann", {"watch", "self", "--json"});
  Process watch(follow);
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  const json busy = home.status();
  CHECK(busy["owner"]["pid"] == watch.pid());
  CHECK(busy["owner"]["command"] == "ipnscast watch self --json");
  REQUIRE(busy["names"].size() == 1);
  CHECK(busy["names"][0]["own"] == true);
  CHECK(busy["names"][0]["followed"] == true);
  const std::string text = home.text();
  INFO(text);
  CHECK(text.find("process " + std::to_string(watch.pid()) + ": ipnscast watch self") !=
        std::string::npos);
  for (const std::string& row :
       {"relay    " + home.stack.relay_url(), "gateway  " + home.stack.gateway_url(),
        "name     " + home.name(), "renewal  " + home.name()})
    CHECK(text.find(row) != std::string::npos);
  watch.signal(SIGINT);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
  CHECK(home.status()["owner"].is_null());
}

TEST_CASE("status leaves nothing beside the state file: idle, beside an owner, after a crash") {
  const Home home;
  auto before = home.files();
  (void)home.status();
  CHECK(home.files() == before);

  Process watch(home.stack.command("ann", {"watch", "self", "--json"}));
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  before = home.files();
  (void)home.status();
  CHECK(home.files() == before);
  watch.signal(SIGKILL);
  REQUIRE(watch.wait(kSoon));
  before = home.files();
  CHECK(home.status()["owner"].is_null());
  CHECK(home.files() == before);
  for (const auto& entry : fs::directory_iterator(home.state())) {
    if (entry.path().string().ends_with("-shm")) fs::remove(entry.path());
  }
  before = home.files();
  CHECK(home.status()["names"][0]["followed"] == true);
  CHECK(home.files() == before);
}

TEST_CASE("status works in a directory that is read-only, also after a crash") {
  const Home home;
  const std::string state = home.state().string();
  Command probe = home.stack.command("ann", {});
  probe.argv = {"unshare", "-Urm", "true"};
  if (run(probe, kSoon).exit != 0) SKIP_TEST("no mount namespaces here (unshare)");
  const auto look = [&] {
    Command out = home.stack.command("ann", {"status", "--json"});
    std::vector<std::string> argv = {
        "unshare",
        "-Urm",
        "sh",
        "-ec",
        "mount --bind \"$0\" \"$0\"; mount -o remount,bind,ro \"$0\"; exec \"$@\"",
        state};
    argv.insert(argv.end(), out.argv.begin(), out.argv.end());
    out.argv = std::move(argv);
    return run(out, kSoon);
  };
  const Ran idle = look();
  INFO(idle.err);
  REQUIRE(idle.exit == 0);
  CHECK(json::parse(idle.out)["names"][0]["own"] == true);
  Process watch(home.stack.command("ann", {"watch", "self", "--json"}));
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  const Ran busy = look();
  INFO(busy.err);
  REQUIRE(busy.exit == 0);
  CHECK(json::parse(busy.out)["names"][0]["followed"] == true);
  watch.signal(SIGKILL);
  REQUIRE(watch.wait(kSoon));
  const Ran crashed = look();
  INFO(crashed.err);
  REQUIRE(crashed.exit == 0);
  CHECK(json::parse(crashed.out)["names"][0]["followed"] == true);
}

TEST_CASE("what waits for relays, nodes and routers is told, each with its place") {
  const Home home;
  const std::string nowhere = "ws://127.0.0.1:9";
  write(home.note(), "two");
  Command publish = home.stack.command("ann", {"publish", "self", "note", "--timeout", "20s"});
  publish.environment["IPNSCAST_RELAYS_URLS"] = home.stack.relay_url() + "," + nowhere;
  publish.environment["IPNSCAST_RELAYS_QUORUM"] = "all";
  publish.environment["IPNSCAST_GATEWAYS_NODES"] = home.stack.rpc_url() + ",http://127.0.0.1:9";
  const Ran published = run(publish, kSoon);
  INFO(published.out << published.err);
  REQUIRE(published.exit == 4);
  const json status = home.status();
  CHECK(status["outbox"]["waiting"] == 1);
  CHECK(status["outbox"]["relays"] == json{{nowhere, 1}});
  const std::string text = home.text();
  INFO(text);
  CHECK(text.find("relay    " + nowhere) != std::string::npos);
  CHECK(text.find("lacks 1 event") != std::string::npos);
  // The node that was away is to get the record.
  const json& errands = status["errands"];
  INFO(errands.dump());
  CHECK(std::any_of(errands.begin(), errands.end(), [&](const json& errand) {
    return errand["what"] == "record" && errand["name"] == home.name() &&
           errand["place"] == "http://127.0.0.1:9";
  }));
  CHECK(text.find("errand   record   " + home.name()) != std::string::npos);
}

TEST_CASE("a bridge's names are told, with when they were announced") {
  const Home home;
  const std::string state = (home.stack.folder() / "bridge").string();
  REQUIRE(home.stack.run("ann", {"key", "generate", "self", "--state", state}).exit == 0);
  Command command = home.stack.command("ann", {"bridge", "--state", state, "--json"});
  command.environment["IPNSCAST_BRIDGE_NAMES"] = home.name();
  command.environment["IPNSCAST_METRICS_LISTEN"] = "off";
  Process bridge(command);
  const auto announced = [&] {
    const Ran ran = home.stack.run("ann", {"status", "--json", "--state", state});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out)["bridged"];
  };
  // The bridge announces with its first poll.
  const auto end = std::chrono::steady_clock::now() + kSoon;
  json rows;
  do rows = announced();
  while ((rows.empty() || rows[0]["announced"].is_null()) &&
         std::chrono::steady_clock::now() < end);
  INFO(bridge.output());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["name"] == home.name());
  CHECK(rows[0]["sequence"] == "1");
  CHECK(rows[0]["announced"].is_string());
  CHECK(rows[0]["owed"] == false);
  bridge.signal(SIGINT);
  REQUIRE(bridge.wait(kSoon));
}
