#include "ipnscast/nostr/base/file/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "ipnscast/nostr/base/file/folder.h"
#include "ipnscast/nostr/base/file/pending_file.h"

namespace ipnscast {
namespace {

constexpr size_t kMaxSize = 4096;

struct File {
  int fd = -1;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

tl::unexpected<Error> io_fail(const std::filesystem::path& path, int code) {
  const Errc errc = code == ENOENT ? Errc::not_found : code == EEXIST ? Errc::conflict : Errc::io;
  return fail(errc, "\"" + path.string() + "\": " + std::strerror(code));
}

Result<std::string> read_bounded(int fd, const std::filesystem::path& path) {
  std::string out(kMaxSize + 1, '\0');
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(fd, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_fail(path, errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  out.resize(size);
  if (size <= kMaxSize) return out;
  wipe_text(out);
  return fail(Errc::too_large,
              "\"" + path.string() + "\" is too large for a secret file: it holds one line");
}

// Whole or not at all, also when the power fails.
Status write_and_place(const std::filesystem::path& path, std::string_view line,
                       PendingFile::Over over) {
  const auto folder = Folder::open_own(path.has_parent_path() ? path.parent_path() : ".");
  if (!folder) return fail(folder.error());
  auto file = PendingFile::create(path, over, 0600);
  if (!file) return fail(file.error());
  std::string text(line);
  text += '\n';
  Status written = file->write(as_bytes(text));
  wipe_text(text);
  return written ? file->commit(true) : written;
}

}  // namespace

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  text.clear();
}

Result<std::string> read_secret_file(const std::filesystem::path& path) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (file.fd < 0) return io_fail(path, errno);
  struct stat about {};
  if (::fstat(file.fd, &about) != 0) return io_fail(path, errno);
  if (!S_ISREG(about.st_mode) && !S_ISFIFO(about.st_mode))
    return fail(Errc::refused, "\"" + path.string() + "\" is not a file");
  if (about.st_uid != ::geteuid() && about.st_uid != 0)
    return fail(Errc::refused, "\"" + path.string() + "\" belongs to another user (uid " +
                                   std::to_string(about.st_uid) +
                                   "), who can change it: use a copy of your own");
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::refused,
                "\"" + path.string() + "\": others can read it; close it with chmod 600");
  }
  auto text = read_bounded(file.fd, path);
  if (!text) return text;
  const size_t line_end = std::min(text->find_first_of("\r\n"), text->size());
  const bool one_line = text->find_first_not_of("\r\n \t", line_end) == std::string::npos;
  std::string line = text->substr(0, line_end);
  wipe_text(*text);
  if (one_line && !line.empty()) return line;
  wipe_text(line);
  return fail(Errc::parse,
              "\"" + path.string() + "\" holds no line, or more than one: a secret file holds one");
}

Status write_secret_file(const std::filesystem::path& path, std::string_view line) {
  return write_and_place(path, line, PendingFile::Over::nothing);
}

Status replace_secret_file(const std::filesystem::path& path, std::string_view line) {
  return write_and_place(path, line, PendingFile::Over::file);
}

}  // namespace ipnscast
