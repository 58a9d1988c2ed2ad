#include "ipnscast/sync/ipfs/unixfs/file_metadata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "ipnscast/nostr/base/file/file_error.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"

namespace ipnscast::sync {
namespace {

constexpr uint32_t kMostNanoseconds = 999'999'999;
// The first second of the year 1 and the last of 9999: file systems keep less, few programs show
// more.
constexpr int64_t kFirstShown = -62'135'596'800;
constexpr int64_t kLastShown = 253'402'300'799;
constexpr uint32_t kPermissions = 0777;

// Wire type 5, which no reader of fields gives a value of.
constexpr uint8_t kFractionTag = 2 << 3 | 5;

bool is_not_offered(int error) {
  return error == EPERM || error == ENOTSUP || error == ENOSYS || error == EROFS;
}

}  // namespace

std::optional<UnixfsTime> decode_unixfs_time(ByteView bytes) {
  UnixfsTime out;
  bool has_seconds = false;
  while (!bytes.empty()) {
    if (bytes.front() == kFractionTag && bytes.size() >= 5) {
      uint32_t fraction = 0;
      for (size_t i = 4; i > 0; --i) fraction = fraction << 8 | bytes[i];
      out.nanoseconds = std::min(fraction, kMostNanoseconds);
      bytes = bytes.subspan(5);
      continue;
    }
    const auto field = take_field(bytes);
    if (!field) return std::nullopt;
    if (field->number != 1 || field->is_bytes || field->is_other) continue;
    out.seconds = static_cast<int64_t>(field->value);
    has_seconds = true;
  }
  if (!has_seconds) return std::nullopt;
  return out;
}

Bytes encode_unixfs_time(const UnixfsTime& time) {
  Bytes out;
  append_uint_field(out, 1, static_cast<uint64_t>(time.seconds));
  if (time.nanoseconds == 0) return out;
  out.push_back(kFractionTag);
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<uint8_t>(time.nanoseconds >> shift));
  return out;
}

Status apply_metadata(const FileMetadata& metadata, int folder, const std::string& name) {
  struct stat status {};
  if (metadata.empty()) return {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return system_error(name, errno);
  // A link has no permissions of its own.
  if (metadata.mode && !S_ISLNK(status.st_mode)) {
    const mode_t mode = *metadata.mode & kPermissions;
    if (::fchmodat(folder, name.c_str(), mode, AT_SYMLINK_NOFOLLOW) != 0 && !is_not_offered(errno))
      return system_error(name, errno);
  }
  if (!metadata.mtime) return {};
  const int64_t seconds = std::clamp(metadata.mtime->seconds, kFirstShown, kLastShown);
  timespec times[2] = {};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = seconds;
  times[1].tv_nsec = seconds == metadata.mtime->seconds ? metadata.mtime->nanoseconds : 0;
  if (::utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0 && !is_not_offered(errno))
    return system_error(name, errno);
  return {};
}

}  // namespace ipnscast::sync
