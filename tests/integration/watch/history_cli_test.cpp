// `history`, `replay` and `watch --every-version`: versions before the newest one.
#include <csignal>
#include <functional>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

struct HistoryStack {
  Stack stack;
  const json ann = stack.init("ann");
  const std::string name = ann.at("name");

  HistoryStack() { stack.init("bob"); }
  std::string publish(const std::string& text) const {
    write(stack.folder() / "ann/site/index.html", text);
    const Ran ran = stack.run("ann", {"publish", "self", "site", "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out).at("cid");
  }
  Command watch(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"watch", name, "--trust", ann.at("npub"), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return stack.command("bob", std::move(arguments));
  }
  json heard() const {
    const Ran ran = stack.run("bob", {"history", name, "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out).at("heard");
  }
  bool has_heard(size_t many) const {
    const auto end = std::chrono::steady_clock::now() + kSoon;
    while (heard().size() < many && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(Milliseconds(50));
    return heard().size() >= many;
  }
  Ran replay(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"replay", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return stack.run("bob", std::move(arguments));
  }
};

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
  return out;
}

}  // namespace

TEST_CASE(
    "beside a running watch history shows what was heard, and replay prints it again, oldest "
    "first") {
  const HistoryStack world;
  const Ran none = world.replay({"--since", "1h"});
  CHECK(none.exit == 1);
  CHECK(none.err.find("nothing was heard of " + world.name) != std::string::npos);
  std::vector<std::string> cids;
  Process watching(world.watch({}));
  for (const char* text : {"one", "two", "three"}) {
    cids.push_back(world.publish(text));
    REQUIRE(watching.wait_for_line(cids.back(), kSoon));
    REQUIRE(world.has_heard(cids.size()));
  }
  const json heard = world.heard();
  REQUIRE(heard.size() == 3);
  CHECK(heard[0].at("sequence") == "3");
  CHECK(heard[0].at("cid") == cids[2]);
  CHECK(heard[2].at("state") == "taken");
  CHECK(heard[2].at("at").get<std::string>() >= heard[2].at("seen").get<std::string>());
  const Ran text = world.stack.run("bob", {"history", world.name});
  CHECK(text.out.find("sequence 3  /ipfs/" + cids[2] + "  seen ") == 0);

  const Ran replayed = world.replay({"--since", "1h", "--json"});
  INFO(replayed.err);
  REQUIRE(replayed.exit == 0);
  const auto lines = lines_of(replayed.out);
  REQUIRE(lines.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(lines[i].at("event") == "change");
    CHECK(lines[i].at("sequence") == std::to_string(i + 1));
    CHECK(lines[i].at("cid") == cids[i]);
    CHECK(lines[i].at("replay") == true);
  }
  CHECK(lines[0].at("previous").is_null());
  CHECK(lines[1].at("previous") == cids[0]);
  const Ran since = world.replay({"--since", heard[1].at("seen"), "--exec",
                                  "echo \"$IPNSCAST_SEQUENCE $IPNSCAST_CID\" >> replayed"});
  CHECK(since.exit == 0);
  CHECK(read(world.stack.folder() / "bob/replayed") == "2 " + cids[1] + "\n3 " + cids[2] + "\n");
  const Ran failed = world.replay({"--since", "1h", "--exec", "exit 7"});
  CHECK(failed.exit == 1);
  CHECK(failed.out.empty());
  CHECK(failed.err.find("sequence 1") != std::string::npos);
  const Ran later = world.replay({"--since", "0"});
  CHECK(later.exit == 1);
  CHECK(later.err.find("was heard since \"0\"") != std::string::npos);
  const Ran wrong = world.replay({"--since", "yesterday"});
  CHECK(wrong.exit == 2);
  CHECK(wrong.err.find("\"yesterday\" is no time") != std::string::npos);
  watching.signal(SIGINT);
  const auto ended = watching.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

TEST_CASE(
    "watch --every-version gives those that came while the command failed, also after kill -9") {
  const HistoryStack world;
  std::vector<std::string> cids;
  {
    Process failing(world.watch({"--every-version", "--exec", "exit 1"}));
    for (const char* text : {"one", "two", "three"}) {
      cids.push_back(world.publish(text));
      REQUIRE(world.has_heard(cids.size()));
    }
    failing.signal(SIGKILL);
    REQUIRE(failing.wait(kSoon));
  }
  Process watching(world.watch({"--every-version"}));
  for (const std::string& cid : cids) REQUIRE(watching.wait_for_line(cid, kSoon));
  watching.signal(SIGINT);
  const auto ended = watching.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
  const auto lines = lines_of(ended->out);
  REQUIRE(lines.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(lines[i].at("cid") == cids[i]);
  const Ran both = run(world.watch({"--every-version", "--once"}), kSoon);
  CHECK(both.exit == 2);
}
