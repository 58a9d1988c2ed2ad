#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Seconds since 1970 and nanoseconds below a billion.
struct UnixfsTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool operator==(const UnixfsTime&) const = default;
};

// What UnixFS 1.5 says of a file or directory beside its content. Nothing says nothing.
struct FileMetadata {
  std::optional<uint32_t> mode;
  std::optional<UnixfsTime> mtime;
  bool operator==(const FileMetadata&) const = default;

  bool empty() const { return !mode && !mtime; }
};

// The message UnixTime. Nothing for bytes that are none; what goes beyond a second counts as the
// last nanosecond of it.
std::optional<UnixfsTime> decode_unixfs_time(ByteView bytes);
Bytes encode_unixfs_time(const UnixfsTime& time);

// Sets the permissions, without set-user-ID, set-group-ID and the sticky bit, and the time, brought
// into the years 1 to 9999, of what stands under the name in an open folder; of a symbolic link the
// time only. A file system that has no such permissions or times is no
// error. Errc::io.
Status apply_metadata(const FileMetadata& metadata, int folder, const std::string& name);

}  // namespace ipnscast::sync
