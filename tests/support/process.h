#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Programs as children of a test: started with pipes, waited for with deadlines, never left behind.
namespace ipnscast::test {

struct Command {
  std::vector<std::string> argv;                     // the program first, looked up in PATH
  std::string input{};                               // all of its standard input
  std::map<std::string, std::string> environment{};  // added to ours
  std::filesystem::path folder{};                    // where it runs; empty: here
};

// What became of a command that was waited for.
struct Ran {
  int exit = 0;  // its exit code, 128 + N when signal N ended it
  std::string out;
  std::string err;
};

// A running child. Owned and used by one thread, which has to be the one that started it (the
// kernel kills the child when that thread ends, so that none survives a test that was killed).
// Destroying it kills the child's process group and reaps it.
class Process {
 public:
  // Throws std::runtime_error when the system refuses; a program that is not there exits with 127.
  explicit Process(const Command& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // The next line of its output, standard or error, that contains `text`; lines before it in that
  // stream are passed over. Nothing when the program closes its output or the deadline passes
  // first.
  std::optional<std::string> wait_for_line(std::string_view text,
                                           std::chrono::milliseconds deadline);

  // Sends a signal to the child alone.
  void signal(int number);

  // Waits until it has ended and closed its output. Nothing when the deadline passes first.
  std::optional<Ran> wait(std::chrono::milliseconds deadline);

  // All it has written so far, error output last; for INFO().
  std::string output();

 private:
  struct Stream {
    int fd = -1;
    std::string text;
    size_t passed = 0;  // what wait_for_line has gone over
  };

  void read_until_closed();
  std::optional<std::string> take_line(std::string_view text);

  // constant after construction
  pid_t pid_ = -1;
  std::string input_;
  int input_fd_ = -1;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  Stream streams_[2];
  bool closed_ = false;

  std::thread reader_;
};

// Runs a command to its end. Killed at the deadline, with exit 124 then.
Ran run(const Command& command, std::chrono::milliseconds deadline = std::chrono::seconds(60));

}  // namespace ipnscast::test
