#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {
namespace {

// A file descriptor that closes itself; standard input is left open.
struct InputFile {
  int fd = -1;
  ~InputFile() {
    if (fd > STDIN_FILENO) ::close(fd);
  }
};

Error io_error(const std::string& path, int code) {
  return {code == ENOENT ? Errc::not_found : Errc::io, "\"" + path + "\": " + std::strerror(code)};
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

}  // namespace

Result<std::string> read_input(const std::string& path, size_t max_bytes) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input", max_bytes);
  const InputFile file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return fail(io_error(path, errno));
  return read_all(file.fd, path, max_bytes);
}

}  // namespace ipnscast::tools
