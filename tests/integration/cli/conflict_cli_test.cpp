// What `watch --on-conflict` does about a publish that was displaced (WRITER, rule 6).
#include <algorithm>
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Ann has published "ours\n"; Bob, with the same key and without having seen it, "theirs\n".
struct Displaced {
  Displaced() {
    stack.init("ann");
    fs::copy(stack.folder() / "ann", stack.folder() / "bob", fs::copy_options::recursive);
    publish("ann", "ours\n", {"publish", "self", "page.txt"});
    publish("bob", "theirs\n", {"publish", "self", "page.txt", "--replace"});
  }
  void publish(const std::string& person, const std::string& text,
               std::vector<std::string> words) const {
    write(stack.folder() / person / "page.txt", text);
    const Ran done = stack.run(person, std::move(words));
    INFO(done.err);
    REQUIRE(done.exit == 0);
  }
  Process watch(std::vector<std::string> strategy) const {
    std::vector<std::string> words{"watch", "self", "--json", "--on-conflict"};
    words.insert(words.end(), strategy.begin(), strategy.end());
    return Process(stack.command("ann", std::move(words)));
  }
  // Until the watch prints the change to this sequence.
  static void wait_for(Process& watch, const std::string& sequence) {
    const auto line = watch.wait_for_line("\"sequence\":\"" + sequence + "\"", kSoon);
    INFO(watch.output());
    REQUIRE(line);
  }
  json lost() const {
    const Ran history = stack.run("ann", {"history", "self", "--lost", "--json"});
    INFO(history.err);
    return json::parse(history.out).at("lost");
  }

  Stack stack;
};

}  // namespace

TEST_CASE("a command merges what was displaced, and the merge is published (S2-10, S0-67)") {
  const Displaced world;
  {
    Process watch = world.watch(
        {"exec", R"(cat "$IPNSCAST_OURS" "$IPNSCAST_THEIRS" > "$IPNSCAST_MERGED" && cat >&2)"});
    world.wait_for(watch, "3");
    CHECK(watch.output().find("\"ours\":{\"sequence\":1") != std::string::npos);
    watch.signal(SIGINT);
    CHECK(watch.wait(kSoon));
  }
  CHECK(world.lost().empty());
  REQUIRE(world.stack.run("bob", {"get", "self", "-o", "merged"}).exit == 0);
  CHECK(read(world.stack.folder() / "bob" / "merged") == "ours\ntheirs\n");
}

TEST_CASE("both contents are kept, the displaced one in a place that names it (R35)") {
  const Displaced world;
  {
    Process watch = world.watch({"keep-both", "kept"});
    const auto line = watch.wait_for_line("which is kept in kept/", kSoon);
    INFO(watch.output());
    REQUIRE(line);
    watch.signal(SIGINT);
    CHECK(watch.wait(kSoon));
  }
  CHECK(world.lost().empty());
  std::vector<fs::path> kept;
  for (const auto& entry : fs::directory_iterator(world.stack.folder() / "ann" / "kept"))
    kept.push_back(entry.path());
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].filename().string().find(".conflict-1-") != std::string::npos);
  CHECK(read(kept[0]) == "ours\n");
}

TEST_CASE("a strategy that there is not is refused in one line") {
  const Displaced world;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"merge"}, {"exec"}, {"keep-both"}, {"newest", "--once"}}) {
    std::vector<std::string> all{"watch", "self", "--on-conflict"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran refused = world.stack.run("ann", all);
    INFO(refused.err);
    CHECK(refused.exit == 2);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    CHECK(refused.err.find("--on-conflict") != std::string::npos);
  }
}
