// What each command says of publishes of this device that others displaced (R33, R34).
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Ann published a page, and bob, who has the same key, went over it.
class Displaced {
 public:
  explicit Displaced(const std::string& page = "mine") {
    name_ = stack_.init("ann").at("name");
    fs::copy(stack_.folder() / "ann", stack_.folder() / "bob", fs::copy_options::recursive);
    ours_ = cid(publish("ann", page));
    theirs_ = cid(publish("bob", "theirs", {"--replace"}));
  }
  const std::string& name() const { return name_; }
  const std::string& ours() const { return ours_; }
  const std::string& theirs() const { return theirs_; }
  Ran run(std::vector<std::string> words) const { return stack_.run("ann", std::move(words)); }
  Command command(std::vector<std::string> words) const {
    return stack_.command("ann", std::move(words));
  }
  Ran publish(const std::string& person, const std::string& text,
              std::vector<std::string> more = {}) const {
    write(stack_.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return stack_.run(person, std::move(words));
  }
  static std::string cid(const Ran& published) {
    INFO(published.out << published.err);
    REQUIRE(published.exit == 0);
    return json::parse(published.out).at("cid");
  }
  std::string line() const {
    return "ipnscast: 1 publish of this device was displaced: ipnscast history " + name_ +
           " --lost\n";
  }
  fs::path folder() const { return stack_.folder() / "ann"; }

 private:
  Stack stack_;
  std::string name_;
  std::string ours_;
  std::string theirs_;
};

size_t count(const std::string& text, const std::string& part) {
  size_t out = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++out;
  return out;
}

json last_line(const std::string& text) {
  const size_t before = text.rfind('\n', text.size() - 2);
  return json::parse(before == text.npos ? text : text.substr(before + 1));
}

}  // namespace

TEST_CASE("each command on a name says once that a publish of this device was displaced") {
  const Displaced world;
  write(world.folder() / "page.txt", "again");
  const std::vector<std::vector<std::string>> commands = {
      {"resolve", "self"},
      {"publish", "self", "page.txt"},
      {"get", "self", "-o", "out"},
      {"get", world.name() + "/", "-o", "-"},
      {"watch", "self", "--once"},
      {"history", "self"},
      {"publish", "self", "page.txt", "--replace"},
  };
  for (const auto& words : commands) {
    const Ran ran = world.run(words);
    INFO(words.front() << ": " << ran.out << ran.err);
    CHECK(count(ran.err, world.line()) == 1);
    CHECK(ran.out.find("displaced") == std::string::npos);
  }
  const Ran lost = world.run({"history", "self", "--lost"});
  CHECK(lost.out.find(world.ours()) != std::string::npos);
  CHECK(lost.err.empty());
  REQUIRE(world.run({"forget", "self", "--lost"}).exit == 0);
  for (const auto& words : commands) {
    if (words.back() == "out") continue;
    CHECK(count(world.run(words).err, "displaced") == 0);
  }
}

TEST_CASE("programs get the number of displaced publishes in what a command prints") {
  const Displaced world;
  const std::vector<std::vector<std::string>> commands = {
      {"resolve", "self", "--json"},
      {"get", "self", "-o", "out", "--json"},
      {"history", "self", "--json"},
      {"publish", "self", "page.txt", "--replace", "--json"},
  };
  // A refusal says it too.
  const Ran refused = world.publish("ann", "again");
  CHECK(refused.exit == 1);
  CHECK(last_line(refused.err).at("displaced") == 1);
  for (const auto& words : commands) {
    const Ran ran = world.run(words);
    INFO(words.front() << ": " << ran.out << ran.err);
    CHECK(json::parse(ran.out).at("displaced") == 1);
    CHECK(ran.err.find("displaced") == std::string::npos);
  }
  const Ran once = world.run({"watch", "self", "--once", "--json"});
  INFO(once.out << once.err);
  const json first = json::parse(once.out.substr(0, once.out.find('\n')));
  CHECK(first == json{{"event", "displaced"}, {"name", world.name()}, {"displaced", 1}});
  CHECK(once.err.find("displaced") == std::string::npos);
  REQUIRE(world.run({"forget", "self", "--lost"}).exit == 0);
  CHECK(json::parse(world.run({"resolve", "self", "--json"}).out).at("displaced") == 0);
  CHECK(world.run({"watch", "self", "--once", "--json"}).out.find("displaced") ==
        std::string::npos);
}

TEST_CASE("status counts displaced publishes for each name, followed or not") {
  const Displaced world;
  REQUIRE(world.run({"resolve", "self"}).exit == 0);
  Ran status = world.run({"status"});
  INFO(status.out << status.err);
  CHECK(count(status.out, "lost     1 publish of this device was displaced: ipnscast history " +
                              world.name() + " --lost\n") == 1);
  const json all = json::parse(world.run({"status", "--json"}).out);
  CHECK(all.at("lost") == json::array({{{"name", world.name()}, {"displaced", 1}}}));
  REQUIRE(world.run({"forget", "self", "--lost"}).exit == 0);
  CHECK(count(world.run({"status"}).out, "lost  ") == 0);
  CHECK(json::parse(world.run({"status", "--json"}).out).at("lost").empty());
}

TEST_CASE("watch tells a displaced publish on a line of its own, before what displaced it") {
  const Displaced world;
  const bool as_json = GENERATE(false, true);
  std::vector<std::string> words{"watch", "self"};
  if (as_json) words.push_back("--json");
  Process watch(world.command(words));
  const auto line = watch.wait_for_line("lost", kSoon);
  INFO(watch.output());
  REQUIRE(line);
  if (as_json) {
    const json lost = json::parse(*line);
    CHECK(lost.at("event") == "lost");
    CHECK(lost.at("name") == world.name());
    CHECK(lost.at("sequence") == "2");
    CHECK(lost.at("value") == "/ipfs/" + world.theirs());
    CHECK(lost.at("other_value") == "/ipfs/" + world.ours());
    CHECK(lost.at("certain") == true);
    CHECK(lost.at("common") == nullptr);
  } else {
    CHECK(*line == "lost      " + world.name() + "  /ipfs/" + world.ours() +
                       " of this device was displaced by sequence 2  /ipfs/" + world.theirs() +
                       ": ipnscast history " + world.name() + " --lost");
  }
  CHECK(watch.wait_for_line("change", kSoon));
  watch.signal(SIGTERM);
  const auto ran = watch.wait(kSoon);
  REQUIRE(ran);
  CHECK(ran->exit == 0);
  // Another watch says that there is something, not again what.
  Process again(world.command(words));
  CHECK(again.wait_for_line("displaced", kSoon));
  again.signal(SIGTERM);
  const auto more = again.wait(kSoon);
  REQUIRE(more);
  CHECK(count(more->out, as_json ? "\"lost\"" : "lost  ") == 0);
}

TEST_CASE("what was displaced takes room, and publishing waits until it is struck off (R33)") {
  const Displaced world(std::string(5'000, 'x'));
  REQUIRE(world.run({"resolve", "self"}).exit == 0);
  write(world.folder() / "page.txt", "again");
  Command publish = world.command({"publish", "self", "page.txt", "--replace"});
  publish.environment["IPNSCAST_HANDOVER_KEPT"] = "4KiB";
  const Ran refused = test::run(publish, kSoon);
  INFO(refused.err);
  CHECK(refused.exit == 1);
  CHECK(refused.err ==
        world.line() +
            "ipnscast: displaced publishes of this device take up 4.9 KiB here, and "
            "handover.kept allows 4.0 KiB: look at them (history NAME --lost) and strike them "
            "off (forget NAME --lost), NAME being " +
            world.name() + "\n");
  // By bringing it back, or by letting it go.
  SECTION("brought back") {
    Command back = world.command({"publish", "self", "--cid", world.ours(), "--replace"});
    back.environment["IPNSCAST_HANDOVER_KEPT"] = "4KiB";
    CHECK(test::run(back, kSoon).exit == 0);
  }
  SECTION("let go") { CHECK(world.run({"forget", "self", "--lost"}).exit == 0); }
  CHECK(test::run(publish, kSoon).exit == 0);
}
