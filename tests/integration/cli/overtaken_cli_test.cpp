// Publishes that were queued while nobody could be reached, and that were overtaken meanwhile
// (R35).
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Two devices with one key, and a reader who has never heard of it. Whoever is cut off reaches
// nobody.
class Devices {
 public:
  Devices() {
    name_ = stack_.init("ann").at("name");
    fs::copy(stack_.folder() / "ann", stack_.folder() / "bob", fs::copy_options::recursive);
    fs::create_directories(stack_.folder() / "eve" / "config");
    fs::copy(stack_.folder() / "ann" / "config", stack_.folder() / "eve" / "config",
             fs::copy_options::recursive);
  }
  const std::string& name() const { return name_; }

  Command command(const std::string& person, std::vector<std::string> words) const {
    Command out = stack_.command(person, std::move(words));
    out.environment["IPNSCAST_PUBLISH_SETTLE"] = "300ms";
    if (cut_off_ == person) {
      out.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
      out.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
    }
    return out;
  }
  Ran run(const std::string& person, std::vector<std::string> words) const {
    return test::run(command(person, std::move(words)), kSoon);
  }
  Ran publish(const std::string& person, const std::string& text,
              std::vector<std::string> more = {}) const {
    write(stack_.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return run(person, std::move(words));
  }
  // What the name has, as this person gets it.
  std::string get(const std::string& person) const {
    const fs::path target = stack_.folder() / person / "got";
    fs::remove(target);
    const Ran got = run(person, {"get", name_, "-o", target.string()});
    INFO(got.err);
    CHECK(got.exit == 0);
    return read(target);
  }
  // What of this person's was lost: the contents, as they can still be read here alone.
  std::vector<std::string> lost(const std::string& person) {
    const Ran history = run(person, {"history", name_, "--lost", "--json"});
    INFO(history.err);
    REQUIRE(history.exit == 0);
    const json lost = json::parse(history.out).at("lost");
    std::vector<std::string> out;
    const std::string was = std::exchange(cut_off_, person);
    for (const json& one : lost) {
      const fs::path target = stack_.folder() / person / "lost";
      fs::remove(target);
      const Ran got =
          run(person, {"get", one.at("value").get<std::string>(), "-o", target.string()});
      INFO(got.err);
      CHECK(got.exit == 0);
      out.push_back(read(target));
    }
    cut_off_ = was;
    return out;
  }
  void cut_off(const std::string& person) { cut_off_ = person; }
  void connect() { cut_off_.clear(); }

 private:
  Stack stack_;
  std::string name_;
  std::string cut_off_;
};

uint64_t sequence(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 0);
  return std::stoull(json::parse(ran.out).at("sequence").get<std::string>());
}

}  // namespace

TEST_CASE(
    "what was published offline and overtaken gives way everywhere, whatever its sequence, and is "
    "told lost on its device when the other one is long gone (R35, S0-20)") {
  Devices world;
  REQUIRE(sequence(world.publish("ann", "one")) == 1);
  REQUIRE(world.get("bob") == "one");
  // More often than the other device does, so that its sequence is higher than what is there.
  const size_t queued = GENERATE(1, 3);
  std::vector<std::string> texts;
  std::string displaced;  // the latest of them
  world.cut_off("ann");
  for (size_t i = 0; i < queued; ++i) {
    texts.push_back("offline " + std::to_string(i));
    const Ran ran = world.publish("ann", texts.back(), {"--queue"});
    INFO(ran.err);
    CHECK(ran.exit == 4);
    CHECK(ran.err.find("queued") != std::string::npos);
    displaced = json::parse(ran.out).at("cid");
  }
  world.connect();
  REQUIRE(sequence(world.publish("bob", "newer")) == 2);
  CHECK(world.get("eve") == "newer");

  SECTION("by a get") { CHECK(world.get("ann") == "newer"); }
  SECTION("by a publish, which is refused") {
    const Ran refused = world.publish("ann", "on what was lost");
    INFO(refused.err);
    CHECK(refused.exit == 1);
    CHECK(refused.err.find("sequence 2") != std::string::npos);
  }
  SECTION("by a watch, which tells it before what displaced it") {
    Process watch(world.command("ann", {"watch", "self", "--json"}));
    // Whether ours was current here for a moment depends on who answers first: a conflict tells of
    // both in one, a loss is followed by the change.
    const auto first = watch.wait_for_line("\"other_value\"", kSoon);
    const bool both = first && first->find("\"conflict\"") != std::string::npos;
    if (!both) CHECK(watch.wait_for_line("\"change\"", kSoon));
    REQUIRE(first);
    const json told = json::parse(*first);
    CHECK(told.at("event") == (both ? "conflict" : "lost"));
    CHECK(told.at("sequence") == "2");
    CHECK(told.at("other_value") == "/ipfs/" + displaced);
    if (queued > 1) CHECK_FALSE(both);  // not under one sequence
    INFO(watch.output());
    watch.signal(SIGINT);
    CHECK(watch.wait(kSoon));
  }
  CHECK(world.lost("ann") == texts);
  CHECK(world.lost("bob").empty());
  CHECK(world.get("ann") == "newer");
  CHECK(world.get("eve") == "newer");
  // Both go on from there.
  CHECK(sequence(world.publish("ann", "later")) > 2);
  CHECK(world.get("eve") == "later");
  CHECK(world.lost("ann") == texts);
  CHECK(world.run("ann", {"forget", "self", "--lost"}).exit == 0);
  CHECK(world.lost("ann").empty());
  CHECK(world.get("ann") == "later");
  CHECK(world.lost("ann").empty());
}
