// R38: a net thread that hangs ends the process, and says so; one that could not run does not.
#include "ipnscast/nostr/net/loop_watchdog.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;
using namespace std::chrono_literals;

namespace {

struct Ended {
  int status = 0;
  std::string words;
};

// A child of this process with a loop on which `task` runs for as long as the child lives.
template <typename Task>
Ended in_child(Milliseconds stuck_after, const Task& task) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);
    auto loop = Loop::start(read_sleep_clocks, stuck_after);
    if (!loop) ::_exit(1);
    task(**loop);
    ::_exit(7);
  }
  ::close(pipe[1]);
  Ended out;
  char buffer[1024];
  for (ssize_t got; (got = ::read(pipe[0], buffer, sizeof(buffer))) > 0;)
    out.words.append(buffer, static_cast<size_t>(got));
  ::close(pipe[0]);
  ::waitpid(child, &out.status, 0);
  return out;
}

}  // namespace

TEST_CASE("R38: a loop that never comes round ends the process with a word about it") {
  const Ended ended = in_child(300ms, [](Loop& loop) {
    loop.post([] {
      for (;;) std::this_thread::sleep_for(1s);
    });
    std::this_thread::sleep_for(60s);
  });
  CHECK(WIFSIGNALED(ended.status));
  CHECK(WTERMSIG(ended.status) == SIGABRT);
  CHECK(ended.words.find("the network thread has not come round for 0.3 s") != std::string::npos);
}

TEST_CASE("R38: a log that nobody reads for a while is no hanging loop") {
  int full[2];
  REQUIRE(::pipe(full) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(full[0]);
    ::dup2(full[1], STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);
    auto loop = Loop::start(read_sleep_clocks, 300ms);
    if (!loop) ::_exit(1);
    // More than a pipe holds.
    (*loop)->run([] {
      const std::string line(1 << 20, 'x');
      for (size_t at = 0; at < line.size();) {
        const ssize_t wrote = ::write(STDERR_FILENO, line.data() + at, line.size() - at);
        if (wrote < 0) return;
        at += static_cast<size_t>(wrote);
      }
    });
    ::_exit(7);
  }
  ::close(full[1]);
  std::this_thread::sleep_for(2s);  // of the watchdog's 300 ms; the child cannot go on without us
  std::string buffer(65536, 0);
  while (::read(full[0], buffer.data(), buffer.size()) > 0) {
  }
  ::close(full[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("R38: the watchdog counts its looks, so that a stopped process is not a hanging one") {
  StuckDetector detector;
  CHECK_FALSE(detector.look(1, false));
  for (int i = 1; i < StuckDetector::kLooks; ++i) CHECK_FALSE(detector.look(1, false));
  SECTION("six looks without a round are too many") { CHECK(detector.look(1, false)); }
  SECTION("one round starts the count anew") {
    CHECK_FALSE(detector.look(2, false));
    for (int i = 1; i < StuckDetector::kLooks; ++i) CHECK_FALSE(detector.look(2, false));
    CHECK(detector.look(2, false));
  }
  SECTION("under a debugger nothing counts") {
    for (int i = 0; i < 100; ++i) CHECK_FALSE(detector.look(1, true));
    CHECK_FALSE(detector.look(1, false));
  }
}
