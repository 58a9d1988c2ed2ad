#include "ipnscast/tools/cli/terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "ipnscast/nostr/base/file/secret_file.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxLine = 1024;

// The controlling terminal with echo, line editing and signal keys off, put back at the end.
class QuietTerminal {
 public:
  QuietTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (fd_ < 0) return;
    usable_ = ::tcgetattr(fd_, &before_) == 0;
    if (!usable_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    usable_ = ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (usable_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) ::close(fd_);
  }

  bool usable() const { return usable_; }
  void say(std::string_view text) {
    [[maybe_unused]] const ssize_t written = ::write(fd_, text.data(), text.size());
  }
  // The next byte; -1 at the end or when the terminal went away.
  int next() {
    unsigned char byte = 0;
    ssize_t got = 0;
    do {
      got = ::read(fd_, &byte, 1);
    } while (got < 0 && errno == EINTR);
    return got == 1 ? byte : -1;
  }

 private:
  int fd_;
  bool usable_ = false;
  termios before_{};
};

// Takes back the last character, which may be several bytes of UTF-8.
void erase_last(std::string& line) {
  while (!line.empty()) {
    const bool continues = (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80;
    line.back() = '\0';
    line.pop_back();
    if (!continues) return;
  }
}

Status read_line(QuietTerminal& terminal, std::string& line) {
  constexpr int kCtrlC = 3, kCtrlD = 4, kBackspace = 8, kCtrlU = 21, kDelete = 127;
  while (true) {
    const int byte = terminal.next();
    if (byte == kCtrlC || byte < 0) return fail(Errc::cancelled, "password: cancelled");
    if (byte == '\n' || byte == '\r' || byte == kCtrlD) return {};
    if (byte == kBackspace || byte == kDelete) {
      erase_last(line);
    } else if (byte == kCtrlU) {
      wipe_text(line);
      line.clear();
    } else if (line.size() == kMaxLine) {
      return fail(Errc::too_large, "password: too long");
    } else {
      line.push_back(static_cast<char>(byte));
    }
  }
}

}  // namespace

Result<SecretText> ask_secret(const std::string& question) {
  QuietTerminal terminal;
  if (!terminal.usable()) return fail(Errc::not_found, "no terminal");
  terminal.say(question);
  std::string line;
  line.reserve(kMaxLine);  // never moves, so no copy is left behind
  const Status read = read_line(terminal, line);
  terminal.say("\n");
  SecretText typed = SecretText::take(line);
  if (!read) return fail(read.error());
  return typed;
}

}  // namespace ipnscast::tools
