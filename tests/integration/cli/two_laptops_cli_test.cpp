// Publishing in the words of git push, as one, two and three users type it (R33, R34).
#include <iostream>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr uint64_t kRounds = 50;

// Two laptops with one key, each with a state of its own.
class Laptops {
 public:
  Laptops() : name_(stack_.init("ann").at("name")) {
    fs::copy(stack_.folder() / "ann", stack_.folder() / "bob", fs::copy_options::recursive);
  }
  Command publishing(const std::string& person, const std::string& text,
                     std::vector<std::string> more = {}) const {
    write(stack_.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return stack_.command(person, std::move(words));
  }
  Ran publish(const std::string& person, const std::string& text,
              std::vector<std::string> more = {}) const {
    return test::run(publishing(person, text, std::move(more)), kSoon);
  }
  // The same at a node that decides, with time enough on a busy machine.
  std::unique_ptr<Process> race(const std::string& person, const std::string& text,
                                std::vector<std::string> more) const {
    more.insert(more.end(), {"--timeout", "100s"});
    Command out = publishing(person, text, std::move(more));
    out.environment["IPNSCAST_PUBLISH_DECIDER"] = stack_.gateway_url();
    out.environment["IPNSCAST_RESOLVE_ANSWER_BY"] = "30s";
    return std::make_unique<Process>(out);
  }
  // The sequence and the value that the node has.
  std::pair<std::string, std::string> found() const {
    const Ran ran = stack_.run("bob", {"resolve", name_, "--json"});
    INFO(ran.out << ran.err);
    REQUIRE(ran.exit == 0);
    const json answer = json::parse(ran.out);
    return {answer.at("sequence"), answer.at("value")};
  }
  Ran run(const std::string& person, std::vector<std::string> words) const {
    return stack_.run(person, std::move(words));
  }
  fs::path folder(const std::string& person) const { return stack_.folder() / person; }

 private:
  Stack stack_;
  const std::string name_;
};

uint64_t sequence(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 0);
  return std::stoull(json::parse(ran.out).at("sequence").get<std::string>());
}

json lost_of(const Ran& history) {
  INFO(history.out << history.err);
  REQUIRE(history.exit == 0);
  return json::parse(history.out).at("lost");
}

}  // namespace

TEST_CASE("one laptop publishes day after day and is asked nothing") {
  const Laptops world;
  for (uint64_t day = 1; day <= 3; ++day)
    CHECK(sequence(world.publish("ann", "day " + std::to_string(day))) == day);
  const Ran history = world.run("ann", {"history", "self", "--json"});
  CHECK(json::parse(history.out).at("versions").size() == 3);
  CHECK(lost_of(world.run("ann", {"history", "self", "--lost", "--json"})).empty());
}

TEST_CASE("a second laptop is refused once, with a sentence that gets it on (R33)") {
  const Laptops world;
  REQUIRE(sequence(world.publish("ann", "one")) == 1);
  const Ran refused = world.publish("bob", "two");
  INFO(refused.err);
  CHECK(refused.exit == 1);
  CHECK(refused.out.empty());
  for (const char* const word :
       {"sequence 1", "taken in nothing", "-o DIR", "--based-on 1", "--replace"})
    CHECK(refused.err.find(word) != std::string::npos);
  SECTION("by getting it") {
    REQUIRE(world.run("bob", {"get", "self", "-o", "out"}).exit == 0);
    CHECK(read(world.folder("bob") / "out") == "one");
    CHECK(sequence(world.publish("bob", "two")) == 2);
  }
  SECTION("by accepting it unread") {
    REQUIRE(world.run("bob", {"resolve", "self", "--accept"}).exit == 0);
    CHECK(sequence(world.publish("bob", "two")) == 2);
  }
  SECTION("by naming it") {
    CHECK(world.publish("bob", "two", {"--based-on", "7"}).exit == 1);
    CHECK(sequence(world.publish("bob", "two", {"--based-on", "1"})) == 2);
  }
  SECTION("not by looking at it") {
    REQUIRE(world.run("bob", {"watch", "self", "--once"}).exit == 0);
    CHECK(world.publish("bob", "two").exit == 1);
  }
  // It is asked nothing from then on, and the first one is, once.
  if (world.publish("bob", "three").exit != 0) return;
  CHECK(world.publish("ann", "four").exit == 1);
  REQUIRE(world.run("ann", {"get", "self", "-o", "there"}).exit == 0);
  CHECK(sequence(world.publish("ann", "four")) == 4);
}

TEST_CASE("what --replace went over is told on the laptop that wrote it (R33)") {
  const Laptops world;
  REQUIRE(sequence(world.publish("ann", "one")) == 1);
  REQUIRE(sequence(world.publish("bob", "mine", {"--replace"})) == 2);
  // R12 holds for it too.
  fs::create_directories(world.folder("bob") / "empty");
  const Ran empty = world.run("bob", {"publish", "self", "empty", "--replace"});
  CHECK(empty.exit == 1);
  CHECK(empty.err.find("by nothing") != std::string::npos);

  const Ran refused = world.publish("ann", "two");
  INFO(refused.err);
  CHECK(refused.exit == 1);
  const json lost = lost_of(world.run("ann", {"history", "self", "--lost", "--json"}));
  REQUIRE(lost.size() == 1);
  CHECK(lost.at(0).at("sequence") == "1");
  CHECK(lost.at(0).at("by_sequence") == "2");
  CHECK(lost_of(world.run("bob", {"history", "self", "--lost", "--json"})).empty());
  // The next command on the name says so, until it is struck off.
  const Ran again = world.publish("ann", "two", {"--replace"});
  CHECK(again.exit == 0);
  CHECK(json::parse(again.out).at("displaced") == 1);
  CHECK(world.run("ann", {"forget", "self", "--lost"}).exit == 0);
  CHECK(lost_of(world.run("ann", {"history", "self", "--lost", "--json"})).empty());
  CHECK(world.run("ann", {"forget", "self", "--lost"}).exit == 1);
}

TEST_CASE("a job with a fresh state each day publishes with --replace, and only with that (R33)") {
  const Laptops world;
  REQUIRE(sequence(world.publish("ann", "by hand")) == 1);
  const auto day = [&](const std::string& text, std::vector<std::string> more) {
    fs::remove_all(world.folder("bob") / "state");  // its key is elsewhere
    return world.publish("bob", text, std::move(more));
  };
  CHECK(day("one", {}).exit == 1);
  CHECK(sequence(day("one", {"--replace"})) == 2);
  CHECK(sequence(day("two", {"--replace"})) == 3);
  CHECK(sequence(day("three", {"--replace"})) == 4);
}

TEST_CASE(
    "of two laptops that publish --based-on the same version at the same moment exactly one ends "
    "with 0, and the other with 1 and the winner (R34, S0-63)") {
  const Laptops world;
  REQUIRE(sequence(world.publish("ann", "first")) == 1);
  uint64_t decided = 0;  // both were so close that the node let one of them win
  for (uint64_t round = 1; round <= kRounds; ++round) {
    const std::string on = std::to_string(round);
    std::vector<std::unique_ptr<Process>> running;
    for (const std::string person : {"ann", "bob"})
      running.push_back(world.race(person, person + " " + on, {"--based-on", on}));
    std::vector<Ran> ended;
    for (const auto& process : running) {
      auto ran = process->wait(kSoon);
      REQUIRE(ran);
      ended.push_back(std::move(*ran));
    }
    INFO("round " << round << "\n" << ended[0].out << ended[0].err << ended[1].out << ended[1].err);
    const bool ann_won = ended[0].exit == 0;
    const Ran& winner = ended[ann_won ? 0 : 1];
    const Ran& loser = ended[ann_won ? 1 : 0];
    REQUIRE(winner.exit == 0);
    REQUIRE(loser.exit == 1);
    const json published = json::parse(winner.out);
    CHECK(published.at("sequence") == std::to_string(round + 1));
    CHECK(loser.out.empty());
    const json error = json::parse(loser.err.substr(loser.err.rfind("{\"error\""))).at("error");
    CHECK(error.at("code") == "conflict");
    const std::string message = error.at("message");
    CHECK(message.find("sequence " + std::to_string(round + 1)) != std::string::npos);
    CHECK(message.find(published.at("cid").get<std::string>()) != std::string::npos);
    decided += message.find("made this on") != std::string::npos;
    const auto value = "/ipfs/" + published.at("cid").get<std::string>();
    CHECK(world.found() == std::pair(std::to_string(round + 1), value));
  }
  for (const std::string person : {"ann", "bob"})
    CHECK(lost_of(world.run(person, {"history", "self", "--lost", "--json"})).empty());
  std::cout << kRounds << " rounds with one winner each, " << decided
            << " of them after both had asked" << std::endl;
}
