#include "ipnscast/nostr/base/file/pending_file.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

#include "ipnscast/nostr/base/file/file_error.h"

namespace ipnscast {
namespace {

namespace fs = std::filesystem;

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Status check_place(const Folder& folder, const std::string& name, PendingFile::Over over) {
  const auto found = folder.look(name);
  if (!found) return fail(found.error());
  if (!*found) return {};
  const std::string path = "\"" + (folder.path() / name).string() + "\"";
  const struct stat& status = **found;
  if (!S_ISREG(status.st_mode))
    return fail(Errc::conflict,
                path + " is " + kind_of(status.st_mode) + ", which is left alone: name a file");
  if (over == PendingFile::Over::nothing) return fail(Errc::conflict, path + " exists already");
  if (status.st_uid != ::geteuid() && folder.others_may_write())
    return fail(Errc::refused, path + " belongs to another user (uid " +
                                   std::to_string(status.st_uid) + "): name another file");
  return {};
}

Status write_all(int descriptor, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return system_error(path, errno);
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

// The descriptor that a path names, or -1.
int named_descriptor(const fs::path& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  if (path.parent_path() != "/dev/fd") return -1;
  const std::string text = path.filename().string();
  int out = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : -1;
}

}  // namespace

Result<PendingFile> PendingFile::create(const fs::path& path, Over over, mode_t mode) {
  auto place = place_of(path);
  if (!place) return fail(place.error());
  return create(std::move(place->folder), std::move(place->name), over, mode);
}

Result<PendingFile> PendingFile::create(Folder folder, std::string name, Over over, mode_t mode) {
  if (Status free = check_place(folder, name, over); !free) return fail(free.error());
  remove_abandoned(folder);
  const auto replaced = folder.look(name);
  if (!replaced) return fail(replaced.error());
  const mode_t at_first = *replaced ? mode & S_IRWXU : mode;
  for (;;) {
    std::string temporary = temporary_name();
    Descriptor descriptor(::openat(folder.get(), temporary.c_str(),
                                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, at_first));
    if (!descriptor && errno == EEXIST) continue;
    if (!descriptor) return system_error(folder.path() / name, errno);
    // Until it is locked, another one may take it for abandoned.
    if (::flock(descriptor.get(), LOCK_EX) != 0) return system_error(folder.path() / name, errno);
    if (!folder.holds(temporary, descriptor.get())) continue;
    if (*replaced) keep_mode(descriptor.get(), **replaced, mode);
    return PendingFile(std::move(folder), std::move(name), std::move(temporary), over,
                       std::move(descriptor));
  }
}

PendingFile::~PendingFile() {
  if (descriptor_) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
}

Status PendingFile::write(ByteView bytes) {
  return write_all(descriptor_.get(), bytes, folder_.path() / name_);
}

Status PendingFile::write_at(uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno != EINTR) return system_error(folder_.path() / name_, errno);
    if (written <= 0) continue;
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Status PendingFile::move() const {
  const int folder = folder_.get();
  const fs::path path = folder_.path() / name_;
  if (over_ == Over::file) {
    if (::renameat(folder, temporary_.c_str(), folder, name_.c_str()) == 0) return {};
    return system_error(path, errno);
  }
  if (::renameat2(folder, temporary_.c_str(), folder, name_.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno == EINVAL || errno == ENOSYS) {  // a file system without it
    if (::linkat(folder, temporary_.c_str(), folder, name_.c_str(), 0) == 0) {
      ::unlinkat(folder, temporary_.c_str(), 0);
      return {};
    }
  }
  if (errno == EEXIST) return fail(Errc::conflict, "\"" + path.string() + "\" exists already");
  return system_error(path, errno);
}

Status PendingFile::commit(bool durable) {
  if (durable && ::fsync(descriptor_.get()) != 0)
    return system_error(folder_.path() / name_, errno);
  if (Status free = check_place(folder_, name_, over_); !free) return free;
  if (Status moved = move(); !moved) return moved;
  descriptor_ = Descriptor();
  if (!durable) return {};
  const Descriptor list(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (list) ::fsync(list.get());
  return {};
}

Status write_file(const fs::path& path, ByteView bytes) {
  if (const int descriptor = named_descriptor(path); descriptor >= 0) {
    std::fflush(stdout);
    return write_all(descriptor, bytes, path);
  }
  auto file = PendingFile::create(path, PendingFile::Over::file, 0666);
  if (!file) return fail(file.error());
  if (Status written = file->write(bytes); !written) return written;
  return file->commit();
}

}  // namespace ipnscast
