// Machines whose clock is wrong for a while (R36). Skipped where libfaketime is not installed.
#include <csignal>
#include <cstdlib>

#include "ipnscast/tests/integration/cli/clock_laptop.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("a clock that is a year behind signs nothing and deletes no good hint (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  const auto before = laptop.hints();
  REQUIRE(before.size() == 1);
  const std::string cid = json::parse(laptop.run({"history", "self", "--json"}).out)
                              .at("versions")
                              .at(0)
                              .get<std::string>();
  laptop.set("-365d");
  for (const Ran& refused :
       {laptop.publish("two"), laptop.run({"announce", "self", cid, "--sequence", "1"})}) {
    INFO(refused.err);
    CHECK(refused.exit == 1);
    CHECK(refused.err.find("clock is 365 days behind") != std::string::npos);
    CHECK(refused.err.find("--trust-clock") != std::string::npos);
  }
  CHECK(laptop.hints() == before);
  laptop.set("+0");
  CHECK(laptop.get() == "one");
  CHECK(sequence(laptop.publish("two")) == 2);
  CHECK(laptop.get() == "two");
  CHECK(laptop.hints().size() == 1);
}

TEST_CASE("a record that would be over for everybody is not signed, and be it the first (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  laptop.set("-365d");
  const Ran refused = laptop.publish("one");
  INFO(refused.err);
  CHECK(refused.exit == 1);
  CHECK(refused.err.find("clock is 365 days behind") != std::string::npos);
  CHECK(laptop.hints().empty());
  const Ran trusted = laptop.publish("one", {"--trust-clock"});
  CHECK(trusted.exit == 4);
  CHECK(trusted.err.find("no node or router took the record") != std::string::npos);
  laptop.set("+0");
  CHECK(laptop.publish("two").exit == 0);
  CHECK(laptop.get() == "two");
}

TEST_CASE("a clock that was a year ahead once locks nobody out when it is right again (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  laptop.set("+365d");
  CHECK(sequence(laptop.publish("two")) == 2);
  laptop.set("+0");
  SECTION("servers say what the time is") {
    CHECK(sequence(laptop.publish("three")) == 3);
    CHECK(laptop.get() == "three");
    CHECK(laptop.hints().size() == 1);
  }
  SECTION("nobody can be reached who could say so") {
    const Ran refused = laptop.queue("three");
    INFO(refused.out << refused.err);
    CHECK(refused.exit == 1);
    CHECK(refused.err.find("no server says what the time is") != std::string::npos);
    const Ran trusted = laptop.queue("three", {"--trust-clock"});
    INFO(trusted.err);
    CHECK(trusted.exit == 4);
    CHECK(sequence(laptop.publish("four")) > 2);
    CHECK(laptop.get() == "four");
  }
}

TEST_CASE(
    "a reader's clock that is three days ahead for a while withdraws nothing: what it called stale "
    "is told as valid again, and it goes on (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  Process watch(laptop.watch("eve"));
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  laptop.set("+3d");
  CHECK(watch.wait_for_line("\"stale\"", kSoon));
  laptop.set("+0");
  CHECK(watch.wait_for_line("\"refresh\"", kSoon));
  CHECK(sequence(laptop.publish("two")) == 2);
  CHECK(watch.wait_for_line("\"change\"", kSoon));
  watch.signal(SIGINT);
  CHECK(watch.wait(kSoon));
  INFO(watch.output());
  CHECK(watch.output().find("\"withdrawn\"") == std::string::npos);
}

// IPNSCAST_WRITER_ROUNDS=5 makes sixty of them.
TEST_CASE("many publishes within one second arrive in order, and none is refused (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  laptop.stand_still();
  const char* const wanted = std::getenv("IPNSCAST_WRITER_ROUNDS");
  const uint64_t last = 12 * (wanted == nullptr ? 1 : std::strtoull(wanted, nullptr, 10));
  for (uint64_t i = 1; i <= last; ++i) REQUIRE(sequence(laptop.publish(std::to_string(i))) == i);
  CHECK(laptop.get() == std::to_string(last));
  laptop.set("+0");
  CHECK(sequence(laptop.publish("later")) == last + 1);
  CHECK(laptop.get() == "later");
  CHECK(laptop.hints().size() == 1);
}
