#include "sync/ipfs/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "sync/ipfs/temporary_path.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

int open_directory(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool is_at(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

// Those of ours whose owner is gone: nobody holds the lock.
void remove_abandoned(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!is_temporary(it->path())) continue;
    const int descriptor = open_directory(it->path());
    if (descriptor < 0) continue;
    struct stat status {};
    std::error_code ignored;
    if (::fstat(descriptor, &status) == 0 && status.st_uid == ::geteuid() &&
        ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
      fs::remove_all(it->path(), ignored);
    }
    ::close(descriptor);
  }
}

}  // namespace

Result<Workspace> Workspace::make_beside(const fs::path& target) {
  const fs::path folder = temporary_beside(target).parent_path();
  remove_abandoned(folder.empty() ? fs::path(".") : folder);
  for (;;) {
    const fs::path path = temporary_beside(target);
    if (::mkdir(path.c_str(), 0700) != 0)
      return fail(Errc::io, path.string() + ": " + std::generic_category().message(errno));
    const int descriptor = open_directory(path);
    // Until it is locked, another one may take it for abandoned.
    if (descriptor >= 0 && ::flock(descriptor, LOCK_EX) == 0 && is_at(descriptor, path))
      return Workspace(path, descriptor);
    const int number = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (descriptor < 0 && number != ENOENT)
      return fail(Errc::io, path.string() + ": " + std::generic_category().message(number));
  }
}

Workspace::Workspace(Workspace&& other) noexcept
    : directory_(std::move(other.directory_)), lock_(std::exchange(other.lock_, -1)) {}

Workspace::~Workspace() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
  ::close(lock_);
}

}  // namespace ipnscast::sync
