// Machines whose clock is wrong for a while, where no server says what the time is (R36). Skipped
// where libfaketime is not installed.
#include <csignal>

#include "ipnscast/tests/integration/cli/clock_laptop.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

const Servers kSilent{.tell_the_time = false};

void check_refused(const Ran& ran, const std::string& why) {
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 1);
  CHECK(ran.err.find(why) != std::string::npos);
  CHECK(ran.err.find("no server says what the time is") != std::string::npos);
  CHECK(ran.err.find("--trust-clock") != std::string::npos);
}

std::string end(Process& watch) {
  watch.signal(SIGINT);
  CHECK(watch.wait(kSoon));
  return watch.output();
}

}  // namespace

TEST_CASE(
    "a clock that is a year behind signs nothing and deletes no hint where nobody says so, and "
    "holds nobody up: the other laptop publishes meanwhile, and this one when it is right (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library, kSilent);
  Process watch(laptop.watch("eve"));
  REQUIRE(sequence(laptop.publish("one")) == 1);
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  const auto before = laptop.hints();
  REQUIRE(before.size() == 1);

  laptop.set("-365d");
  check_refused(laptop.publish("two"), "our last hint is 36");  // 364 or 365 days
  CHECK(laptop.hints() == before);
  CHECK(laptop.get_as("bob") == "one");
  CHECK(sequence(laptop.publish_as("bob", "bob's")) == 2);
  CHECK(watch.wait_for_line("\"change\"", kSoon));
  CHECK(laptop.get_as("ann") == "bob's");
  check_refused(laptop.publish("three"), "our last hint is 36");
  CHECK(laptop.get() == "bob's");

  laptop.set("+0");
  CHECK(sequence(laptop.publish("three")) == 3);
  CHECK(watch.wait_for_line("\"change\"", kSoon));
  CHECK(laptop.get() == "three");
  CHECK(laptop.hints().size() == 1);
  CHECK(end(watch).find("\"withdrawn\"") == std::string::npos);
}

TEST_CASE(
    "a publish while the clock was ahead, for days or a year, withdraws nothing and locks nobody "
    "out where nobody says what the time is: one --trust-clock, and all is as ever (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  struct Case {
    const char* ahead;
    bool relay_keeps_it;  // or refuses hints from the future
    bool bob_is_next;
  };
  const auto [ahead, relay_keeps_it, bob_is_next] =
      GENERATE(Case{"+3d", false, true}, Case{"+3d", true, false}, Case{"+365d", true, true},
               Case{"+365d", false, false});
  Servers servers{.tell_the_time = false};
  if (relay_keeps_it) servers.rules.created_at_ahead = std::chrono::hours(24 * 3'650);
  const Laptop laptop(*library, servers);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  laptop.set(ahead);
  CHECK(sequence(laptop.publish("two")) == 2);
  laptop.set("+0");
  CHECK(laptop.get() == "two");
  uint64_t there = 2;
  if (bob_is_next) {
    CHECK(laptop.get_as("bob") == "two");
    CHECK(sequence(laptop.publish_as("bob", "bob's")) == ++there);
    CHECK(laptop.get() == "bob's");
    CHECK(laptop.get_as("ann") == "bob's");
  }
  check_refused(laptop.publish("later"), "our last hint is");
  CHECK(sequence(laptop.publish("later", {"--trust-clock"})) == there + 1);
  CHECK(laptop.get() == "later");
  // From then on nobody has to say so.
  const Ran last = laptop.publish("last");
  CHECK(sequence(last) == there + 2);
  CHECK(last.exit == 0);
  CHECK(laptop.get() == "last");
  CHECK(laptop.hints() == std::vector<std::string>{json::parse(last.out).at("hint")});
  const Ran lost = laptop.run({"history", "self", "--lost", "--json"});
  CHECK(json::parse(lost.out).at("lost").empty());
}

TEST_CASE(
    "a clock that jumps ahead while a laptop watches its own name, and a reader follows it, "
    "withdraws nothing where nobody says what the time is (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library, kSilent);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  const auto before = laptop.hints();
  Process own(laptop.watch("ann"));
  Process reader(laptop.watch("eve"));
  for (Process* const watch : {&own, &reader}) REQUIRE(watch->wait_for_line("\"change\"", kSoon));
  laptop.set("+3d");
  for (Process* const watch : {&own, &reader}) CHECK(watch->wait_for_line("\"stale\"", kSoon));
  laptop.set("+0");
  for (Process* const watch : {&own, &reader}) CHECK(watch->wait_for_line("\"refresh\"", kSoon));
  CHECK(laptop.hints() == before);
  CHECK(laptop.get_as("bob") == "one");
  CHECK(sequence(laptop.publish_as("bob", "bob's")) == 2);
  for (Process* const watch : {&own, &reader}) {
    CHECK(watch->wait_for_line("\"change\"", kSoon));
    CHECK(end(*watch).find("\"withdrawn\"") == std::string::npos);
  }
  CHECK(laptop.get_as("ann") == "bob's");
  CHECK(sequence(laptop.publish("three")) == 3);
  CHECK(laptop.get() == "three");
  CHECK(laptop.hints().size() == 1);
}

TEST_CASE(
    "a record that is over when it is made is told to be refused by all nodes, where nobody says "
    "what the time is, and stands in nobody's way (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library, kSilent);
  uint64_t there = 0;
  std::vector<std::string> trust;
  SECTION("as the very first one") {}
  SECTION("as a later one, by --trust-clock") {
    REQUIRE(sequence(laptop.publish("one")) == ++there);
    REQUIRE(laptop.get_as("bob") == "one");
    trust = {"--trust-clock"};
  }
  laptop.set("-365d");
  const Ran over = laptop.publish("over", trust);
  INFO(over.out << over.err);
  CHECK(over.exit == 4);
  CHECK(json::parse(over.out).at("quorum_met") == false);
  CHECK(over.err.find("no node or router took the record") != std::string::npos);
  CHECK(over.err.find("expired") != std::string::npos);
  CHECK(over.err.find("clock says 20") != std::string::npos);
  CHECK(sequence(over) == ++there);
  laptop.set("+0");
  SECTION("the laptop goes on") {}
  SECTION("the other one goes on") {
    const Ran refused = laptop.publish_as("bob", "bob's");
    INFO(refused.err);
    CHECK(refused.exit == 1);
    CHECK(refused.err.find("expired") != std::string::npos);
    const std::string on = std::to_string(there);
    CHECK(refused.err.find("--based-on " + on) != std::string::npos);
    if (there > 1) {
      const Ran resolved = laptop.run("bob", {"resolve", "self"});
      CHECK(resolved.err.find("behind sequence " + on + ", which is") != std::string::npos);
    }
    CHECK(sequence(laptop.publish_as("bob", "bob's", {"--based-on", on})) == ++there);
    CHECK(laptop.get() == "bob's");
    CHECK(laptop.get_as("ann") == "bob's");
  }
  const Ran later = laptop.publish("later");
  CHECK(sequence(later) == ++there);
  CHECK(later.exit == 0);
  CHECK(laptop.get() == "later");
  CHECK(laptop.hints() == std::vector<std::string>{json::parse(later.out).at("hint")});
  const Ran lost = laptop.run({"history", "self", "--lost", "--json"});
  CHECK(json::parse(lost.out).at("lost").empty());
}
