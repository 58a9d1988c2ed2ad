#include "ipnscast/nostr/base/file/folder.h"

#include <dirent.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"

namespace ipnscast {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = ".ipnscast-";
constexpr std::string_view kEnd = ".tmp";
constexpr int kLook = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int kList = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

tl::unexpected<Error> folder_error(const fs::path& path, int number) {
  const Errc code = number == ENOENT    ? Errc::not_found
                    : number == EEXIST  ? Errc::conflict
                    : number == ELOOP   ? Errc::refused
                    : number == ENOTDIR ? Errc::refused
                                        : Errc::io;
  return fail(code, path.string() + ": " + std::generic_category().message(number));
}

struct Entry {
  std::string name;
  unsigned char type = DT_UNKNOWN;  // as readdir() has it
};

// What is in an open directory, whose descriptor this takes.
Result<std::vector<Entry>> list(Descriptor descriptor, const fs::path& path) {
  const int copy = ::dup(descriptor.get());
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy),
                                                   ::closedir);
  if (!stream) {
    const int number = errno;
    if (copy >= 0) ::close(copy);
    return folder_error(path, number);
  }
  std::vector<Entry> out;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.push_back({std::string(name), entry->d_type});
  }
  if (errno != 0) return folder_error(path, errno);
  return out;
}

// Where a tree may be removed, and for how long.
struct Removal {
  dev_t device = 0;
  std::optional<Instant> end;

  Status check_time(const fs::path& path) const {
    if (!end || std::chrono::steady_clock::now() < *end) return {};
    return fail(Errc::timeout, path.string() + ": not removed within the time");
  }
};

// What is in an open directory goes, on its own file system only.
Status empty_out(int folder, const Removal& removal, const fs::path& path) {
  // A directory that we may not change any more is ours to open up again.
  struct stat status {};
  if (::fstat(folder, &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU)
    static_cast<void>(::fchmod(folder, S_IRWXU));
  const auto entries = list(Descriptor(::fcntl(folder, F_DUPFD_CLOEXEC, 0)), path);
  if (!entries) return fail(entries.error());
  for (const auto& [name, type] : *entries) {
    if (Status allowed = removal.check_time(path); !allowed) return allowed;
    bool directory = type == DT_DIR;
    if (type == DT_UNKNOWN) {  // some file systems do not say
      if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      directory = S_ISDIR(status.st_mode);
    }
    int flags = 0;
    if (directory) {
      flags = AT_REMOVEDIR;
      Descriptor inner(::openat(folder, name.c_str(), kList));
      if (!inner && errno == EACCES &&
          ::fchmodat(folder, name.c_str(), S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        inner = Descriptor(::openat(folder, name.c_str(), kList));
      if (!inner || ::fstat(inner.get(), &status) != 0) return folder_error(path / name, errno);
      if (status.st_dev != removal.device)
        return fail(Errc::io, (path / name).string() + ": another file system is mounted there");
      if (Status emptied = empty_out(inner.get(), removal, path / name); !emptied) return emptied;
    }
    if (::unlinkat(folder, name.c_str(), flags) != 0 && errno != ENOENT)
      return folder_error(path / name, errno);
  }
  return {};
}

Status make_above(const fs::path& path) {
  if (path.empty() || ::access(path.c_str(), F_OK) == 0) return {};
  if (Status above = make_above(path.parent_path()); !above) return above;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return folder_error(path, errno);
  return {};
}

bool is_ours_or_roots(uid_t owner) { return owner == ::geteuid() || owner == 0; }

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<Folder> Folder::of(int number, fs::path path) {
  Descriptor descriptor(number);
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0) return folder_error(path, errno);
  return Folder(std::move(descriptor), status, std::move(path));
}

Result<Folder> Folder::open(const fs::path& path) {
  const fs::path named = path.empty() ? "." : path;
  return of(::open(named.c_str(), kLook), named);
}

Result<Folder> Folder::open_own(const fs::path& path) {
  const fs::path clean = path.has_filename() ? path : path.parent_path();
  if (Status made = make_above(clean); !made) return fail(made.error());
  struct stat link {};
  if (::lstat(clean.c_str(), &link) != 0) return folder_error(path, errno);
  if (!is_ours_or_roots(link.st_uid) && S_ISLNK(link.st_mode))
    return fail(Errc::refused, "\"" + path.string() + "\" is a link of another user (uid " +
                                   std::to_string(link.st_uid) + "): use another directory");
  auto out = open(clean);
  if (!out) return out;
  if (out->status_.st_uid != ::geteuid())
    return fail(Errc::refused, "\"" + path.string() + "\" belongs to another user (uid " +
                                   std::to_string(out->status_.st_uid) +
                                   "): use another directory, or run as that user");
  if ((out->status_.st_mode & S_IWOTH) != 0)
    return fail(Errc::refused,
                "\"" + path.string() + "\" can be changed by everybody: close it with chmod 700");
  return out;
}

Result<Folder> Folder::open_inner(const std::string& name) const {
  return of(::openat(get(), name.c_str(), kLook | O_NOFOLLOW), path_ / name);
}

Result<Folder> Folder::make_inner(const std::string& name, mode_t mode) const {
  if (::mkdirat(get(), name.c_str(), mode) != 0) return folder_error(path_ / name, errno);
  return open_inner(name);
}

Result<Folder> Folder::duplicate() const { return of(::fcntl(get(), F_DUPFD_CLOEXEC, 0), path_); }

Result<std::optional<struct stat>> Folder::look(const std::string& name) const {
  struct stat status {};
  if (::fstatat(get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  return folder_error(path_ / name, errno);
}

bool Folder::holds(const std::string& name, int descriptor) const {
  struct stat open {};
  const auto named = look(name);
  return ::fstat(descriptor, &open) == 0 && named && *named && id_of(**named) == id_of(open);
}

Result<std::vector<std::string>> Folder::names() const {
  Descriptor descriptor(::openat(get(), ".", kList));
  if (!descriptor) return folder_error(path_, errno);
  auto entries = list(std::move(descriptor), path_);
  if (!entries) return fail(entries.error());
  std::vector<std::string> out;
  out.reserve(entries->size());
  for (Entry& entry : *entries) out.push_back(std::move(entry.name));
  return out;
}

Status Folder::remove_tree(const std::string& name, FileId expected,
                           std::optional<Instant> end) const {
  const auto found = look(name);
  if (!found) return fail(found.error());
  if (!*found || id_of(**found) != expected) return {};
  int flags = 0;
  if (S_ISDIR((*found)->st_mode)) {
    flags = AT_REMOVEDIR;
    const Descriptor inner(::openat(get(), name.c_str(), kList));
    struct stat status {};
    if (!inner || ::fstat(inner.get(), &status) != 0) return folder_error(path_ / name, errno);
    if (id_of(status) != expected) return {};
    const Removal removal{expected.device, end};
    if (Status done = empty_out(inner.get(), removal, path_ / name); !done) return done;
  }
  if (::unlinkat(get(), name.c_str(), flags) != 0 && errno != ENOENT)
    return folder_error(path_ / name, errno);
  return {};
}

bool Folder::others_may_write() const {
  return (status_.st_mode & S_IWOTH) != 0 || !is_ours_or_roots(status_.st_uid);
}

bool Folder::others_may_rename() const {
  if (!is_ours_or_roots(status_.st_uid)) return true;
  // The bits of the group bound what an access control list gives to others, too.
  return (status_.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status_.st_mode & S_ISVTX) == 0;
}

Result<FilePlace> place_of(const fs::path& path) {
  const fs::path clean = path.has_filename() ? path : path.parent_path();
  const std::string name = clean.filename().string();
  if (name.empty() || name == "." || name == "..")
    return fail(Errc::invalid, "\"" + path.string() + "\" ends in no name");
  auto folder = Folder::open(clean.parent_path());
  if (!folder) return fail(Errc::io, folder.error().message);
  return FilePlace{std::move(*folder), name};
}

void keep_mode(int descriptor, const struct stat& replaced, mode_t most) {
  const mode_t may_run = (most & 0444) >> 2;  // who may read a program may run it
  mode_t mode = replaced.st_mode & (most | may_run) & 0777;
  struct stat own {};
  if (::fstat(descriptor, &own) != 0) return;
  if (own.st_gid != replaced.st_gid &&
      ::fchown(descriptor, static_cast<uid_t>(-1), replaced.st_gid) != 0)
    mode &= ~mode_t{S_IRWXG} | ((mode & S_IRWXO) << 3);
  if (S_ISDIR(own.st_mode)) mode |= own.st_mode & S_ISGID;  // as its parent has it
  static_cast<void>(::fchmod(descriptor, mode));
}

std::string temporary_name() {
  // Short, so that a name of the longest length allowed still has a sibling.
  return std::string(kBegin) + to_hex(random_bytes(8)) + std::string(kEnd);
}

bool is_temporary_name(std::string_view name) {
  return name.size() == kBegin.size() + 16 + kEnd.size() && name.starts_with(kBegin) &&
         name.ends_with(kEnd) && from_hex(name.substr(kBegin.size(), 16)).has_value();
}

void remove_abandoned(const Folder& folder, Milliseconds most) {
  if (folder.others_may_rename()) return;
  const Instant end = std::chrono::steady_clock::now() + most;
  const auto names = folder.names();
  if (!names) return;
  for (const std::string& name : *names) {
    if (!is_temporary_name(name)) continue;
    // Nothing of another user is opened: opening alone may hang, or do something.
    const auto found = folder.look(name);
    if (!found || !*found || (*found)->st_uid != ::geteuid()) continue;
    if (!S_ISDIR((*found)->st_mode) && !S_ISREG((*found)->st_mode)) continue;
    const Descriptor held(
        ::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!held || ::fstat(held.get(), &status) != 0 || status.st_uid != ::geteuid()) continue;
    if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) continue;
    static_cast<void>(folder.remove_tree(name, id_of(status), end));
  }
}

}  // namespace ipnscast
