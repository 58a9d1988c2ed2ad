#include "ipnscast/nostr/base/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::store {
namespace {

tl::unexpected<Error> system_failure(const std::filesystem::path& path) {
  return fail(Errc::io, path.string() + ": " + std::strerror(errno));
}

// Empty while the holder has not written it yet.
std::string holder(int descriptor) {
  std::array<char, 20> text;
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  std::string out(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  out.erase(std::find_if(out.begin(), out.end(), [](char c) { return c < '0' || c > '9'; }),
            out.end());
  return out;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::filesystem::path& directory) {
  const auto folder = Folder::open_own(directory);
  if (!folder) return fail(folder.error());
  const auto path = directory / "lock";
  // Children must not inherit it: they would keep the lock after our end.
  const int descriptor =
      ::openat(folder->get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_failure(path);
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure(path);
    const std::string pid = holder(descriptor);
    lock.descriptor_ = -1;
    ::close(descriptor);
    return fail(Errc::conflict, directory.string() + ": in use by " +
                                    (pid.empty() ? "another process" : "process " + pid) +
                                    ", which is ipnscast too: end that one, or use another "
                                    "directory");
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return system_failure(path);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

// The file stays: removing it would let two processes hold locks on two files of one name.
FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace ipnscast::store
