#include "ipnscast/sync/cache/block_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "ipnscast/nostr/base/file/file_error.h"
#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

int write_all(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return 0;
}

bool read_all(int descriptor, Bytes& bytes) {
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
    if (got > 0) filled += static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

Status BlockFiles::open(const std::unordered_set<int64_t>& rows) {
  if (const auto own = Folder::open_own(directory_); !own) return fail(own.error());
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    char* stop = nullptr;
    const int64_t row = std::strtoll(name.c_str(), &stop, 10);
    if (*stop == '\0' && rows.count(row) == 0) remove(row);
    if (std::string_view(stop) == ".new") ::unlink(it->path().c_str());
  }
  if (error) return system_error(directory_, error.value());
  return {};
}

Status BlockFiles::write(int64_t row, ByteView block) { return write_file(path(row), block); }

Status BlockFiles::write_file(const fs::path& file, ByteView block) {
  const Descriptor descriptor(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!descriptor) return system_error(file, errno);
  const int error = write_all(descriptor.get(), block);
  if (error == 0) return {};
  ::unlink(file.c_str());
  return system_error(file, error);
}

Status BlockFiles::replace(int64_t row, ByteView block) {
  const fs::path beside = directory_ / (std::to_string(row) + ".new");
  if (Status written = write_file(beside, block); !written) return written;
  if (::rename(beside.c_str(), path(row).c_str()) == 0) return {};
  return system_error(beside, errno);
}

std::optional<Bytes> BlockFiles::read(int64_t row, size_t size) const {
  // Whatever stands there is not waited for.
  const Descriptor descriptor(
      ::open(path(row).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  if (static_cast<uint64_t>(status.st_size) != size) return std::nullopt;
  Bytes out(size);
  if (!read_all(descriptor.get(), out)) return std::nullopt;
  return out;
}

void BlockFiles::remove(int64_t row) { ::unlink(path(row).c_str()); }

}  // namespace ipnscast::sync
