// Machines whose clock is wrong for a while (R36). Skipped where libfaketime is not installed.
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/wrong_clock.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr const char* kNoTool = "libfaketime is not there (package faketime)";

// A laptop whose clock may be wrong, and a reader whose clock is right.
class Laptop {
 public:
  explicit Laptop(const std::string& library)
      : name_(stack_.init("ann").at("name")), clock_(library, stack_.folder() / "clock", "+0") {
    fs::create_directories(stack_.folder() / "eve" / "config");
    fs::copy(stack_.folder() / "ann" / "config", stack_.folder() / "eve" / "config",
             fs::copy_options::recursive);
  }
  const std::string& name() const { return name_; }
  void set(const std::string& offset) const { clock_.set(offset); }
  Command command(std::vector<std::string> words) const {
    Command out = stack_.command("ann", std::move(words));
    out.environment["IPNSCAST_PUBLISH_SETTLE"] = "300ms";
    return clock_.put_on(out);
  }
  Ran run(std::vector<std::string> words) const {
    return test::run(command(std::move(words)), kSoon);
  }
  Ran publish(const std::string& text, std::vector<std::string> more = {}) const {
    write(stack_.folder() / "ann" / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return run(std::move(words));
  }
  // The same while nobody can be reached.
  Ran queue(const std::string& text, std::vector<std::string> more = {}) const {
    write(stack_.folder() / "ann" / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json", "--queue"};
    words.insert(words.end(), more.begin(), more.end());
    Command alone = command(std::move(words));
    alone.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
    alone.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
    return test::run(alone, kSoon);
  }
  // A reader who follows it by polling alone, with the wrong clock.
  Command watch_of_reader() const {
    Command out = stack_.command("eve", {"watch", name_, "--json"});
    for (const char* const poll : {"MIN", "MAX", "HEALTHY"})
      out.environment["IPNSCAST_SOURCES_POLL_" + std::string(poll)] = "1s";
    return clock_.put_on(out);
  }
  // What a reader finds who has never heard of it.
  std::string get() const {
    const fs::path eve = stack_.folder() / "eve";
    fs::remove_all(eve / "state");
    fs::remove(eve / "got");
    const Ran got = stack_.run("eve", {"get", name_, "-o", "got"});
    INFO(got.err);
    CHECK(got.exit == 0);
    return read(eve / "got");
  }
  // The ids of our hints at the relay.
  std::vector<std::string> hints() const {
    const Ran asked =
        stack_.run("eve", {"event", "req", R"({"kinds":[30078]})", "--relay", stack_.relay_url()});
    INFO(asked.err);
    std::vector<std::string> out;
    std::istringstream lines(asked.out);
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line).at("id"));
    return out;
  }

 private:
  Stack stack_;
  const std::string name_;
  const WrongClock clock_;
};

uint64_t sequence(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE((ran.exit == 0 || ran.exit == 4));
  return std::stoull(json::parse(ran.out).at("sequence").get<std::string>());
}

}  // namespace

TEST_CASE("a clock that is a year behind signs nothing and deletes no good hint (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoTool);
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

TEST_CASE("a clock that was a year ahead once locks nobody out when it is right again (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoTool);
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
  if (!library) SKIP_TEST(kNoTool);
  const Laptop laptop(*library);
  REQUIRE(sequence(laptop.publish("one")) == 1);
  Process watch(laptop.watch_of_reader());
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
  if (!library) SKIP_TEST(kNoTool);
  const Laptop laptop(*library);
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  localtime_r(&now, &parts);
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  laptop.set(text);  // it stands still
  const char* const wanted = std::getenv("IPNSCAST_WRITER_ROUNDS");
  const uint64_t last = 12 * (wanted == nullptr ? 1 : std::strtoull(wanted, nullptr, 10));
  for (uint64_t i = 1; i <= last; ++i) REQUIRE(sequence(laptop.publish(std::to_string(i))) == i);
  CHECK(laptop.get() == std::to_string(last));
  laptop.set("+0");
  CHECK(sequence(laptop.publish("later")) == last + 1);
  CHECK(laptop.get() == "later");
  CHECK(laptop.hints().size() == 1);
}
