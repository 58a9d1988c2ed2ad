// One process has a state directory, and others work beside it: whoever comes first, whatever ends
// it.
#include <csignal>
#include <future>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

const char* const kPassword = "correct horse battery staple";

// A publisher with a watch that holds the state directory, and what becomes of it.
struct Owned {
  Stack stack;
  std::string name = stack.init("ann")["name"];
  fs::path note = stack.folder() / "note";
  std::unique_ptr<Process> owner;

  Owned() {
    write(note, "one");
    REQUIRE(stack.run("ann", {"publish", "self", note.string()}).exit == 0);
  }
  std::unique_ptr<Process> watch(std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"watch", name, "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return std::make_unique<Process>(stack.command("ann", all));
  }
  void begin(int sequence = 1) {
    owner = watch();
    REQUIRE(sees(*owner, sequence));
  }
  static bool sees(Process& process, int sequence) {
    return process.wait_for_line(R"("sequence":")" + std::to_string(sequence) + R"(")", kSoon)
        .has_value();
  }
  json publish(const std::string& text, std::vector<std::string> more = {}) const {
    write(note, text);
    std::vector<std::string> all = {"publish", "self", note.string(), "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Ran ran = stack.run("ann", all);
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  }
};

json error_of(const Ran& ran) { return json::parse(ran.err)["error"]; }

}  // namespace

TEST_CASE(
    "of processes that start at once one holds the state directory, all follow, publishing goes on "
    "beside them, and after each kill -9 (S0-09, S0-78)") {
  Owned world;
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 4; ++i) all.push_back(world.watch());
  for (auto& process : all) {
    INFO(process->output());
    CHECK(Owned::sees(*process, 1));
  }
  int sequence = 1;
  while (!all.empty()) {
    ++sequence;
    CHECK(world.publish("text " + std::to_string(sequence))["sequence"] ==
          std::to_string(sequence));
    for (auto& process : all) {
      INFO(process->output());
      CHECK(Owned::sees(*process, sequence));
    }
    const Ran looked = world.stack.run("ann", {"get", world.name, "-o", "-"});
    CHECK(looked.out == "text " + std::to_string(sequence));
    all.front()->signal(SIGKILL);
    REQUIRE(all.front()->wait(kSoon));
    all.erase(all.begin());
  }
  CHECK(world.publish("alone")["sequence"] == std::to_string(sequence + 1));
}

TEST_CASE(
    "beside a running watch commands answer as they do alone, with the same exit codes; what is "
    "published reaches that watch once (S0-09, S0-78)") {
  Owned world;
  const auto& stack = world.stack;
  world.begin();
  const json two = world.publish("two");
  CHECK(two["sequence"] == "2");
  CHECK(two["complete"] == true);
  CHECK(Owned::sees(*world.owner, 2));

  const Ran stale = stack.run(
      "ann", {"publish", "self", world.note.string(), "--expect-sequence", "1", "--json"});
  CHECK(stale.exit == 1);
  CHECK(error_of(stale)["code"] == "conflict");
  const std::string missing = (stack.folder() / "missing").string();
  CHECK(stack.run("ann", {"publish", "self", missing}).exit == 2);
  const Ran secret =
      stack.run("ann", {"publish", "self", (stack.folder() / "ann" / "state").string(), "--json"});
  CHECK(secret.exit == 1);
  CHECK(error_of(secret)["code"] == "refused");
  CHECK(error_of(secret)["message"].get<std::string>().find("/proc/") == std::string::npos);

  const std::string cid = two["cid"];
  CHECK(stack.run("ann", {"announce", "self", cid, "--sequence", "2"}).exit == 0);
  CHECK(stack.run("ann", {"announce", "self", "--retract"}).exit == 0);
  CHECK(stack.run("ann", {"publish", "self", "--cid", cid}).exit == 0);
  CHECK(stack.run("ann", {"forget", "self", "--lost"}).exit == 1);
  const Ran status = stack.run("ann", {"status", "--json"});
  CHECK(json::parse(status.out)["names"].size() == 1);
  CHECK(stack.run("ann", {"history", "self"}).exit == 0);
  CHECK(stack.run("ann", {"resolve", "self"}).exit == 0);
  CHECK(stack.run("ann", {"forget", "self"}).exit == 0);

  world.owner->signal(SIGINT);
  const auto ended = world.owner->wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
  size_t twos = 0;
  for (size_t at = 0;
       (at = ended->out.find(R"("event":"change","name":)", at)) != std::string::npos; ++at) {
    const std::string line = ended->out.substr(at, ended->out.find('\n', at) - at);
    twos += line.find(R"("sequence":"2")") != std::string::npos ? 1 : 0;
  }
  CHECK(twos == 1);
}

TEST_CASE(
    "a key that is protected by a password publishes beside a watch, which never has it (S0-78)") {
  Owned world;
  const auto& stack = world.stack;
  const std::string password = (stack.folder() / "password").string();
  write(password, kPassword);
  fs::permissions(password, fs::perms::owner_read | fs::perms::owner_write);
  REQUIRE(stack.run("ann", {"key", "generate", "site", "--type", "ed25519"}).exit == 0);
  REQUIRE(stack.run("ann", {"key", "encrypt", "site", "--password-file", password, "--log-n", "10"})
              .exit == 0);
  world.begin();
  for (const int sequence : {1, 2}) {
    write(world.note, "site " + std::to_string(sequence));
    const Ran ran = stack.run(
        "ann", {"publish", "site", world.note.string(), "--password-file", password, "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    CHECK(json::parse(ran.out)["sequence"] == std::to_string(sequence));
  }
}

TEST_CASE(
    "a command with other settings than the process that holds the state is refused (S0-78)") {
  Owned world;
  world.begin();
  const Ran other = world.stack.run(
      "ann", {"publish", "self", world.note.string(), "--lifetime", "1h", "--json"});
  CHECK(other.exit == 2);
  CHECK(error_of(other)["message"].get<std::string>().find("publish.lifetime") !=
        std::string::npos);
  const Ran decides = world.stack.run("ann", {"watch", world.name, "--on-conflict", "keep-both",
                                              (world.stack.folder() / "both").string(), "--json"});
  CHECK(decides.exit == 2);
}

TEST_CASE(
    "a watch with a label goes on where it was, beside another one and alone; without a label it "
    "leaves nothing (S0-78)") {
  Owned world;
  world.begin();
  const auto labelled = [&] { return world.watch({"--as", "backup"}); };
  {
    auto second = labelled();
    CHECK(Owned::sees(*second, 1));
    auto third = labelled();  // one at a time
    const auto refused = third->wait(kSoon);
    REQUIRE(refused);
    CHECK(refused->exit == 1);
    second->signal(SIGKILL);
    REQUIRE(second->wait(kSoon));
  }
  world.publish("two");
  world.publish("three");
  {
    auto again = labelled();
    INFO(again->output());
    const auto line = again->wait_for_line(R"("event":"change")", kSoon);
    REQUIRE(line);
    CHECK(json::parse(*line)["sequence"] == "3");
    CHECK(json::parse(*line)["previous"].is_string());
  }
  CHECK(world.stack.run("ann", {"watch", world.name, "--as", "../up"}).exit == 2);
  std::vector<std::string> labels;
  const fs::path state = world.stack.folder() / "ann/state/ipnscast";
  for (const auto& entry : fs::directory_iterator(state / "as"))
    labels.push_back(entry.path().filename().string());
  CHECK(labels == std::vector<std::string>{"backup"});
}

TEST_CASE(
    "beside a running bridge its user publishes, announces, retracts and follows with the same "
    "state directory (S0-78)") {
  Owned world;
  const auto& stack = world.stack;
  auto command = stack.command("ann", {"bridge", "--json"});
  command.environment["IPNSCAST_BRIDGE_NAMES"] = world.name;
  Process bridge(command);
  REQUIRE(bridge.wait_for_line("watching", kSoon));
  REQUIRE(bridge.wait_for_line("\"change\"", kSoon));
  CHECK(world.publish("two")["sequence"] == "2");
  CHECK(stack.run("ann", {"announce", "self", "--retract"}).exit == 0);
  CHECK(stack.run("ann", {"status"}).exit == 0);
  world.begin(2);
  CHECK(world.publish("three")["sequence"] == "3");
  CHECK(Owned::sees(*world.owner, 3));
  const auto second = test::run(command, kSoon);
  CHECK(second.exit == 1);  // one bridge at a time
  bridge.signal(SIGTERM);
  const auto ended = bridge.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}
