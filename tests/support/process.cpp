#include "ipnscast/tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace ipnscast::test {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  return {ends[0], ends[1]};
}

// Never with the keys of whoever runs the tests.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    if (name != "XDG_DATA_HOME" && name != "IPNSCAST_KEYS" && !added.contains(name))
      out.push_back(text);
  }
  if (!added.contains("XDG_DATA_HOME") && !added.contains("HOME"))
    out.emplace_back("XDG_DATA_HOME=/proc/no-data");
  for (const auto& [name, value] : added) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Waits for the end and leaves the child's number taken, so that its group can still be killed
// without hitting another.
int exit_code_of(pid_t pid) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace

Process::Process(const Command& command) : input_(command.input) {
  // All memory is had before fork(): after it, only calls that are safe in a copy of a program with
  // threads.
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = environment_with(command.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const std::string folder = command.folder.string();
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  const pid_t parent = ::getpid();

  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(in.read_end, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    if (!folder.empty() && ::chdir(folder.c_str()) != 0) ::_exit(126);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::setpgid(pid_, 0);  // here too: whoever comes first
  ::close(in.read_end);
  ::close(out.write_end);
  ::close(err.write_end);
  input_fd_ = in.write_end;
  ::fcntl(input_fd_, F_SETFL, O_NONBLOCK);
  streams_[0].fd = out.read_end;
  streams_[1].fd = err.read_end;
  reader_ = std::thread([this] { read_until_closed(); });
}

Process::~Process() {
  ::kill(-pid_, SIGKILL);  // the group, so that what it started goes too
  ::waitpid(pid_, nullptr, 0);
  reader_.join();
}

// Feeds the input and collects both outputs until the child, and whatever inherited its output, has
// closed them.
void Process::read_until_closed() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  size_t fed = 0;
  while (streams_[0].fd >= 0 || streams_[1].fd >= 0) {
    if (input_fd_ >= 0 && fed == input_.size()) {
      ::close(input_fd_);
      input_fd_ = -1;
    }
    std::array<pollfd, 3> polled{
        {{streams_[0].fd, POLLIN, 0}, {streams_[1].fd, POLLIN, 0}, {input_fd_, POLLOUT, 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if ((polled[2].revents & (POLLOUT | POLLERR)) != 0) {
      const ssize_t wrote = ::write(input_fd_, input_.data() + fed, input_.size() - fed);
      if (wrote > 0) fed += static_cast<size_t>(wrote);
      if (wrote < 0 && errno != EAGAIN) fed = input_.size();  // it reads no more
    }
    for (size_t i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      std::array<char, 16384> buffer;
      const ssize_t size = ::read(streams_[i].fd, buffer.data(), buffer.size());
      const std::lock_guard lock(mutex_);
      if (size > 0) {
        streams_[i].text.append(buffer.data(), static_cast<size_t>(size));
      } else {
        ::close(streams_[i].fd);
        streams_[i].fd = -1;
      }
      changed_.notify_all();
    }
  }
  if (input_fd_ >= 0) ::close(input_fd_);
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::optional<std::string> Process::take_line(std::string_view text) {
  for (Stream& stream : streams_) {
    size_t from = stream.passed;
    for (size_t end; (end = stream.text.find('\n', from)) != std::string::npos; from = end + 1) {
      const std::string line = stream.text.substr(from, end - from);
      if (line.find(text) == std::string::npos) continue;
      stream.passed = end + 1;
      return line;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Process::wait_for_line(std::string_view text,
                                                  std::chrono::milliseconds deadline) {
  std::optional<std::string> line;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, deadline, [&] {
    line = take_line(text);
    return line.has_value() || closed_;
  });
  return line;
}

void Process::signal(int number) { ::kill(pid_, number); }

std::optional<Ran> Process::wait(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, deadline, [this] { return closed_; })) return std::nullopt;
  return Ran{exit_code_of(pid_), streams_[0].text, streams_[1].text};
}

std::string Process::output() {
  const std::lock_guard lock(mutex_);
  return streams_[0].text + streams_[1].text;
}

Ran run(const Command& command, std::chrono::milliseconds deadline) {
  Process process(command);
  if (const auto ran = process.wait(deadline)) return *ran;
  return {124, "", "killed at the deadline; so far: " + process.output()};
}

}  // namespace ipnscast::test
