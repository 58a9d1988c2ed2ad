#include "ipnscast/tools/watch/change_command.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using ipnscast::tools::ChangeCommand;

namespace {

struct CommandBench {
  test::TempDir dir;

  std::string file(const std::string& name) const { return (dir.path() / name).string(); }
  // What the command wrote there, once it has.
  std::string written(const std::string& name) const {
    for (;;) {
      std::ifstream in(file(name));
      std::string line;
      if (std::getline(in, line) && !in.eof()) return line;
      std::this_thread::sleep_for(Milliseconds(5));
    }
  }
  pid_t process(const std::string& name) const {
    return static_cast<pid_t>(std::stol(written(name)));
  }
};

// A zombie whose parent is gone counts as ended: nobody here reaps it.
bool still_runs(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(in, line)) return false;
  const char state = line[line.rfind(')') + 2];
  return state != 'Z' && state != 'X';
}

}  // namespace

TEST_CASE("a command gets neither our secrets nor our open files and sockets (C5)") {
  const std::pair<const char*, const char*> ours[] = {
      {"IPNSCAST_PASSWORD", "hush"},
      {"IPNSCAST_WEBHOOK_SECRET", "whsec_hush"},
      {"AWS_SECRET_ACCESS_KEY", "hush"},
      {"LD_LIBRARY_PATH_OF_OURS", "hush"},
      {"WANTED", "given"},
      {"IPNSCAST_IDENTITY_SIGNER", "bunker://ab?relay=wss://a.b&secret=hush"},
      {"IPNSCAST_RELAYS_PROXY", "socks5://me:hush@127.0.0.1:9050"},
      {"IPNSCAST_GATEWAYS_NODES", "http://127.0.0.1:1,http://me:hush@127.0.0.1:2"},
      {"IPNSCAST_RELAYS_URLS", "ws://127.0.0.1:7777"}};
  for (const auto& [name, value] : ours) REQUIRE(::setenv(name, value, 1) == 0);
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);  // as some libraries open theirs
  const CommandBench bench;
  ChangeCommand command(
      "--exec",
      "env > '" + bench.file("env") + "'; ls -l /proc/$$/fd > '" + bench.file("files") + "'",
      Milliseconds(60'000), {"WANTED"});
  CHECK(command.run({{"IPNSCAST_NAME", "k51"}}, "line"));
  for (const auto& [name, value] : ours) ::unsetenv(name);
  for (const int fd : pair) ::close(fd);
  std::ostringstream environment;
  environment << std::ifstream(bench.file("env")).rdbuf();
  INFO(environment.str());
  CHECK(environment.str().find("hush") == std::string::npos);
  CHECK(environment.str().find("IPNSCAST_PASSWORD") == std::string::npos);
  CHECK(environment.str().find("WANTED=given\n") != std::string::npos);
  CHECK(environment.str().find("PATH=") != std::string::npos);
  CHECK(environment.str().find("IPNSCAST_NAME=k51\n") != std::string::npos);
  CHECK(environment.str().find("IPNSCAST_RELAYS_URLS=ws://127.0.0.1:7777\n") != std::string::npos);
  std::ostringstream files;
  files << std::ifstream(bench.file("files")).rdbuf();
  INFO(files.str());
  CHECK(files.str().find("socket:") == std::string::npos);
  CHECK(files.str().find("eventfd") == std::string::npos);
}

TEST_CASE("a command that hangs is ended at its deadline with all that it started, and is told") {
  const CommandBench bench;
  ChangeCommand command("--exec",
                        "sleep 1000 & echo $! > '" + bench.file("child") + "'; echo $$ > '" +
                            bench.file("shell") + "'; wait",
                        Milliseconds(300));
  const Status ended = command.run({}, "");
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == Errc::timeout);
  CHECK_FALSE(still_runs(bench.process("shell")));
  CHECK_FALSE(still_runs(bench.process("child")));
}

TEST_CASE("what does not end when it is asked to is killed five seconds later") {
  const CommandBench bench;
  ChangeCommand command(
      "--exec", "trap '' TERM; echo $$ > '" + bench.file("shell") + "'; while :; do sleep 1; done",
      Milliseconds(200));
  const Instant start = std::chrono::steady_clock::now();
  const Status ended = command.run({}, "");
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == Errc::timeout);
  CHECK(std::chrono::steady_clock::now() - start >= ChangeCommand::kGrace);
  CHECK_FALSE(still_runs(bench.process("shell")));
}

TEST_CASE("what the shell leaves behind has its five seconds too") {
  const CommandBench bench;
  // The shell ends at once; its child takes its time to tidy up.
  ChangeCommand command("--exec",
                        "(trap 'sleep 0.3; echo tidy > \"" + bench.file("tidy") +
                            "\"; exit' TERM; while :; do sleep 0.05; done) & wait",
                        Milliseconds(200));
  CHECK_FALSE(command.run({}, ""));
  CHECK(bench.written("tidy") == "tidy");
}

TEST_CASE("commands of several names run side by side, and stopping ends them all") {
  const CommandBench bench;
  ChangeCommand command(
      "--exec", "echo $$ > '" + bench.dir.path().string() + "'/$IPNSCAST_NAME; exec sleep 1000",
      Milliseconds(600'000));
  std::vector<Status> ended(3);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ended.size(); ++i)
    threads.emplace_back([&, i] {
      ended[i] = command.run({{"IPNSCAST_NAME", std::to_string(i)}}, "");
    });
  std::vector<pid_t> processes;
  for (size_t i = 0; i < ended.size(); ++i) processes.push_back(bench.process(std::to_string(i)));
  command.stop();
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : ended) {
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Errc::cancelled);
  }
  for (const pid_t process : processes) CHECK_FALSE(still_runs(process));
  CHECK(command.run({}, "").error().code == Errc::cancelled);
}

TEST_CASE("a command that ends in time has said what it says") {
  ChangeCommand command("--exec", "read line; test \"$line\" = \"$WANTED\"", Milliseconds(60'000));
  CHECK(command.run({{"WANTED", "hello"}}, "hello\n"));
  const Status refused = command.run({{"WANTED", "hello"}}, "bye\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
}
