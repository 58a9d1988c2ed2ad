#include "ipnscast/tests/support/process.h"

#include <signal.h>

#include <fstream>

#include "ipnscast/tests/support/catch.h"

// The tests of other programs stand on this.
using namespace ipnscast::test;
using namespace std::chrono_literals;

namespace {

// Gone, or a zombie that nobody has reaped yet.
bool is_dead(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(in >> number >> name >> state) || state == "Z";
}

}  // namespace

TEST_CASE("a program's input, output, errors, environment and exit code are all there") {
  const Ran ran = run({.argv = {"sh", "-c", "cat; echo $WORD $PWD; echo problem >&2; exit 3"},
                       .input = std::string(1 << 20, 'x'),
                       .environment = {{"WORD", "hello"}},
                       .folder = "/"});
  CHECK(ran.exit == 3);
  CHECK(ran.out == std::string(1 << 20, 'x') + "hello /\n");
  CHECK(ran.err == "problem\n");
  CHECK(run({.argv = {"sh", "-c", "kill -9 $$"}}).exit == 128 + SIGKILL);
  CHECK(run({.argv = {"no-such-program"}}).exit == 127);
  CHECK(run({.argv = {"true"}, .input = std::string(1 << 20, 'x')}).exit == 0);
}

TEST_CASE("a program that hangs is killed at the deadline") {
  CHECK(run({.argv = {"sleep", "1000"}}, 50ms).exit == 124);
}

TEST_CASE("lines are waited for, and nothing that was started outlives its owner") {
  pid_t child = 0;
  pid_t grandchild = 0;
  {
    Process process({.argv = {"sh", "-c", "sleep 1000 & echo other; echo child $!; wait"}});
    child = process.pid();
    const auto line = process.wait_for_line("child ", 20s);
    REQUIRE(line);
    grandchild = std::stoi(line->substr(6));
    CHECK_FALSE(process.wait_for_line("other", 10ms));
    CHECK_FALSE(process.wait(10ms));
    CHECK_FALSE(is_dead(grandchild));
  }
  CHECK(is_dead(child));
  // The kernel ends a killed process a moment after the signal was sent.
  for (int i = 0; i < 2000 && !is_dead(grandchild); ++i) std::this_thread::sleep_for(5ms);
  CHECK(is_dead(grandchild));
}
