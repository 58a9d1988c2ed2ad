#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "nostr/base/bytes.h"
#include "tools/command.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxSecretFile = 4096;

// A file descriptor that closes itself; standard input is left open.
struct File {
  int fd = -1;
  ~File() {
    if (fd > STDIN_FILENO) ::close(fd);
  }
};

Error io_error(const std::string& path, int code) {
  return {code == ENOENT ? Errc::not_found : Errc::io, path + ": " + std::strerror(code)};
}

Result<std::string> read_all(int fd, const std::string& path, size_t max_bytes) {
  std::string out;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(io_error(path, errno));
    if (got == 0) return out;
    if (out.size() + static_cast<size_t>(got) > max_bytes) {
      return fail(Errc::too_large, path + ": more than " + std::to_string(max_bytes) + " bytes");
    }
    out.append(buffer, static_cast<size_t>(got));
  }
}

void wipe_text(std::string& text) { wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()}); }

}  // namespace

Result<std::string> read_input(const std::string& path, size_t max_bytes) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input", max_bytes);
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return fail(io_error(path, errno));
  return read_all(file.fd, path, max_bytes);
}

Result<std::string> read_secret_line(const std::string& path) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (file.fd < 0) return fail(io_error(path, errno));
  struct stat about {};
  if (::fstat(file.fd, &about) != 0) return fail(io_error(path, errno));
  if (!S_ISREG(about.st_mode) && !S_ISFIFO(about.st_mode))
    return fail(Errc::refused, path + ": not a file");
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::refused, path + ": others can read it (chmod 600 first)");
  }
  auto text = read_all(file.fd, path, kMaxSecretFile);
  if (!text) return text;
  const size_t line_end = std::min(text->find_first_of("\r\n"), text->size());
  const bool one_line = text->find_first_not_of("\r\n \t", line_end) == std::string::npos;
  std::string line = text->substr(0, line_end);
  wipe_text(*text);
  if (!one_line || line.empty()) {
    wipe_text(line);
    return fail(Errc::parse, path + ": want one line");
  }
  return line;
}

}  // namespace ipnscast::tools
