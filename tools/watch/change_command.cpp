#include "ipnscast/tools/watch/change_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <vector>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/watch/process_group.h"

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
  if (!whole) return fail(Errc::io, std::string("its input: ") + std::strerror(errno));
  return {};
}

std::string seconds_text(Milliseconds time) {
  const std::string milliseconds = std::to_string(time.count() % 1'000);
  std::string out = std::to_string(time.count() / 1'000);
  if (milliseconds != "0") out += "." + std::string(3 - milliseconds.size(), '0') + milliseconds;
  return out + " s";
}

// What commands find in their environment besides what they are told of the change, and besides
// settings of ours. CLI.md and the help of `watch` list it.
bool is_usual(std::string_view name) {
  constexpr std::array kUsual = {"PATH",        "HOME",      "USER",     "LOGNAME",
                                 "SHELL",       "LANG",      "LANGUAGE", "TZ",
                                 "TMPDIR",      "TERM",      "PWD",      "http_proxy",
                                 "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY",
                                 "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
                                 "SSL_CERT_DIR"};
  return std::find(kUsual.begin(), kUsual.end(), name) != kUsual.end() || name.starts_with("LC_") ||
         name.starts_with("XDG_");
}

// Settings of ours, so that a command may call us again, without those that open something.
bool is_setting(std::string_view name) {
  return name.starts_with("IPNSCAST_") && name != "IPNSCAST_PASSWORD" &&
         name != "IPNSCAST_WEBHOOK_SECRET";
}

// What is ours is not the command's: of our environment only what any program needs, our settings
// and what `passed` names, without secrets; `added` on top.
std::vector<std::string> merged(const std::map<std::string, std::string>& added,
                                const std::vector<std::string>& passed) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    const bool asked = std::find(passed.begin(), passed.end(), name) != passed.end();
    const bool fit = (is_usual(name) || is_setting(name)) && !holds_secret(text);
    if ((asked || fit) && !added.contains(name)) out.push_back(text);
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
    // Not every library opens its sockets so that they close by themselves.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
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
  auto variables = merged(environment, passed_);
  std::vector<char*> pointers;
  for (auto& text : variables) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string command = command_;
  char* const arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
  const SpawnSettings settings(input);
  const std::lock_guard lock(mutex_);
  if (stopped_) return fail(Errc::cancelled, option_ + ": stopped");
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, shell.c_str(), &settings.actions, &settings.attributes,
                                   arguments, pointers.data());
  if (failed != 0) return fail(Errc::io, option_ + ": " + std::strerror(failed));
  ++running_;
  return child;
}

ChangeCommand::ChangeCommand(std::string option, std::string command, Milliseconds timeout,
                             std::vector<std::string> passed)
    : option_(std::move(option)),
      command_(std::move(command)),
      timeout_(timeout),
      passed_(std::move(passed)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {}

ChangeCommand::~ChangeCommand() {
  stop();
  if (stop_ >= 0) ::close(stop_);
}

Status ChangeCommand::run(const std::map<std::string, std::string>& environment,
                          const std::string& input) {
  if (stop_ < 0) return fail(Errc::io, option_ + ": no more files can be opened");
  const ChangeFile file{::memfd_create("change", MFD_CLOEXEC)};
  if (const Status filled = fill(file.fd, input); !filled)
    return fail(filled.error().within(option_));
  const auto child = start(environment, file.fd);
  if (!child) return fail(child.error());
  Status ended = wait_for(*child);
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
  return ended;
}

// It is reaped last, so that no signal of ours meets another process of this id.
Status ChangeCommand::wait_for(pid_t child) {
  const ChangeFile process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  pollfd what[] = {{process.fd, POLLIN, 0}, {stop_, POLLIN, 0}};
  const Instant deadline = std::chrono::steady_clock::now() + timeout_;
  bool ended = process.fd < 0;
  const int failure = errno;
  while (!ended && what[0].revents == 0 && what[1].revents == 0) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
    ended = left <= Milliseconds(0) ||
            (::poll(what, 2, static_cast<int>(std::min<int64_t>(left.count(), INT_MAX))) < 0 &&
             errno != EINTR);
  }
  const bool by_itself = what[0].revents != 0;
  if (!by_itself && what[1].revents == 0 && process.fd >= 0)
    log_warning("watch", option_ + ": the command has not ended within " + seconds_text(timeout_) +
                             ", the limit of handover.handler_timeout, and is ended now");
  if (!by_itself) end_process_group(child, kGrace);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (process.fd < 0) return fail(Errc::io, option_ + ": " + std::strerror(failure));
  if (what[1].revents != 0) return fail(Errc::cancelled, option_ + ": stopped");
  if (!by_itself)
    return fail(Errc::timeout, option_ + ": took longer than " + seconds_text(timeout_));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status))
    return fail(Errc::refused, option_ + ": ended with " + std::to_string(WEXITSTATUS(status)));
  return fail(Errc::refused, option_ + ": ended by signal " + std::to_string(WTERMSIG(status)));
}

void ChangeCommand::stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  const uint64_t once = 1;
  (void)!::write(stop_, &once, sizeof(once));
  changed_.wait(lock, [&] { return running_ == 0; });
}

}  // namespace ipnscast::tools
