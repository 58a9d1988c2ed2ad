#include "ipnscast/tools/watch/change_command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

extern char** environ;

namespace ipnscast::tools {
namespace {

// A file descriptor that closes itself.
struct ChangeFile {
  int fd = -1;
  ~ChangeFile() {
    if (fd >= 0) ::close(fd);
  }
};

// The input as a file in memory: a command that does not read it cannot hold us up.
Status fill(int fd, const std::string& input) {
  const bool whole =
      fd >= 0 && ::write(fd, input.data(), input.size()) == static_cast<ssize_t>(input.size()) &&
      ::lseek(fd, 0, SEEK_SET) == 0;
  if (!whole) return fail(Errc::io, std::string("--exec: its input: ") + std::strerror(errno));
  return {};
}

// Ours with `added` on top.
std::vector<std::string> merged(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) out.push_back(text);
  }
  for (const auto& [name, value] : added) out.push_back(name + "=" + value);
  return out;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  explicit SpawnSettings(int input) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    // Our output has a form that others read.
    ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Result<pid_t> ChangeCommand::start(const std::map<std::string, std::string>& environment,
                                   int input) {
  auto variables = merged(environment);
  std::vector<char*> pointers;
  for (auto& text : variables) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string command = command_;
  char* const arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
  const SpawnSettings settings(input);
  const std::lock_guard lock(mutex_);
  if (stopped_) return fail(Errc::cancelled, "--exec: stopped");
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, shell.c_str(), &settings.actions, &settings.attributes,
                                   arguments, pointers.data());
  if (failed != 0) return fail(Errc::io, std::string("--exec: ") + std::strerror(failed));
  running_ = child;
  return child;
}

Status ChangeCommand::run(const std::map<std::string, std::string>& environment,
                          const std::string& input) {
  const ChangeFile file{::memfd_create("change", MFD_CLOEXEC)};
  if (const Status filled = fill(file.fd, input); !filled) return filled;
  const auto child = start(environment, file.fd);
  if (!child) return fail(child.error());
  // Waited for without reaping it first, so that stop() never meets another process of this id.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(*child), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  running_ = 0;
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
  }
  if (stopped_) return fail(Errc::cancelled, "--exec: stopped");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status))
    return fail(Errc::refused, "--exec: ended with " + std::to_string(WEXITSTATUS(status)));
  return fail(Errc::refused, "--exec: ended by signal " + std::to_string(WTERMSIG(status)));
}

void ChangeCommand::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (running_ > 0) ::kill(-running_, SIGTERM);
}

}  // namespace ipnscast::tools
