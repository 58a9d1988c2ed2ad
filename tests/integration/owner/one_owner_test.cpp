// One process has a state directory, and others look at it: whoever comes first, whatever ends it.
#include <csignal>
#include <future>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

std::unique_ptr<Process> watch(const Stack& stack, const std::string& name) {
  return std::make_unique<Process>(stack.command("ann", {"watch", name, "--json"}));
}

// The process of these whose lock it is, once all others have said so and ended.
Process& only_owner(std::vector<std::unique_ptr<Process>>& all) {
  std::vector<Process*> owners;
  for (auto& process : all) {
    if (process->wait_for_line("\"change\"", kSoon)) {
      owners.push_back(process.get());
      continue;
    }
    const auto ended = process->wait(kSoon);
    REQUIRE(ended);
    CHECK(ended->exit == 1);
    CHECK(json::parse(ended->err)["error"]["code"] == "conflict");
  }
  REQUIRE(owners.size() == 1);
  return *owners.front();
}

}  // namespace

TEST_CASE(
    "of processes that start at once one has the state directory, the others are told which, and "
    "when it is killed the next one follows where it was (S0-09)") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const std::string note = (stack.folder() / "note").string();
  write(note, "one");
  REQUIRE(stack.run("ann", {"publish", "self", note}).exit == 0);

  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 4; ++i) all.push_back(watch(stack, name));
  Process& owner = only_owner(all);
  const Ran second = stack.run("ann", {"publish", "self", note, "--json"});
  CHECK(second.exit == 1);
  CHECK(json::parse(second.err)["error"]["message"].get<std::string>().find(
            std::to_string(owner.pid())) != std::string::npos);
  // Those that only look are not kept out.
  const Ran looked = stack.run("ann", {"get", name, "-o", "-"});
  INFO(looked.err);
  CHECK(looked.exit == 0);
  CHECK(looked.out == "one");

  owner.signal(SIGKILL);
  REQUIRE(owner.wait(kSoon));
  write(note, "two");
  const Ran published = stack.run("ann", {"publish", "self", note, "--json"});
  INFO(published.err);
  REQUIRE(published.exit == 0);
  std::vector<std::unique_ptr<Process>> next;
  for (int i = 0; i < 2; ++i) next.push_back(watch(stack, name));
  only_owner(next);
}
