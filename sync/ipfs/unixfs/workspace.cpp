#include "ipnscast/sync/ipfs/unixfs/workspace.h"

#include <sys/file.h>

#include <cerrno>
#include <system_error>

namespace ipnscast::sync {
namespace {

// Another process that takes the new directory for abandoned can win once or twice.
constexpr int kMostNames = 16;

// What is removed in this time nobody finds later, and nobody notices that it took that long.
constexpr Milliseconds kMoment{100};

}  // namespace

Result<Workspace> Workspace::make_beside(const std::filesystem::path& target) {
  auto place = place_of(target);
  if (!place) return fail(place.error());
  return make_in(std::move(place->folder));
}

Result<Workspace> Workspace::make_in(Folder parent) {
  remove_abandoned(parent);
  for (int tries = 0; tries < kMostNames; ++tries) {
    std::string name = temporary_name();
    auto folder = parent.make_inner(name, 0700);
    // The name was taken, or somebody removed what was made.
    if (!folder &&
        (folder.error().code == Errc::conflict || folder.error().code == Errc::not_found))
      continue;
    if (!folder) return fail(Errc::io, folder.error().message);
    Descriptor lock(::openat(folder->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Until it is locked, another one may take it for abandoned.
    if (lock && ::flock(lock.get(), LOCK_EX) == 0) {
      if (!parent.holds(name, lock.get())) continue;
      return Workspace(std::move(parent), std::move(name), std::move(*folder), std::move(lock));
    }
    if (errno != ENOENT)
      return fail(Errc::io,
                  folder->path().string() + ": " + std::generic_category().message(errno));
  }
  return fail(Errc::io, "nothing can be made in \"" + parent.path().string() +
                            "\": it was removed, or something removes what appears in it");
}

void Workspace::keep_mode_of(const std::string& name) const {
  const auto replaced = parent_.look(name);
  if (!replaced || !*replaced) return;
  const Descriptor built(
      ::openat(folder_.get(), kContent, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!built || ::fstat(built.get(), &status) != 0) return;
  const bool same_kind = ((*replaced)->st_mode & S_IFMT) == (status.st_mode & S_IFMT);
  if (same_kind) keep_mode(built.get(), **replaced, 0777);
}

void Workspace::remove_by(Instant deadline) { end_ = deadline + kMoment; }

Workspace::~Workspace() {
  if (lock_) static_cast<void>(parent_.remove_tree(name_, folder_.id(), end_));
}

}  // namespace ipnscast::sync
