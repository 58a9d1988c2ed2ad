#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::tools {

// A directory that a mirror made. The device is no part of it: its number may change when the
// machine starts again. That the directory belongs to us is checked beside it.
struct MadeDirectory {
  ino_t inode = 0;
  int64_t born = 0;     // nanoseconds since 1970; 0 where the file system does not say
  std::string entries;  // entries_digest() where it does not: the number of a directory that was
                        // removed may be given to another one
  std::string value;    // whose content it shows

  // Without a value. Errc::io.
  static Result<MadeDirectory> of(const Folder& folder);
  bool is(const MadeDirectory& other) const;
};

// In hex: what is in the directory itself, each by its name and inode. Errc::io.
Result<std::string> entries_digest(const Folder& folder);

// What is known of a mirror, in a file of the state directory that only we can write:
//
//   <name in base36> LF
//   [ "shown " <inode> " " <born> " " <value in hex> [ " " <entries> ] LF ]   the directory as it
//   is [ "next " <inode> " " <born> " " <value in hex> [ " " <entries> ] LF ]    as it is when the
//   last exchange was done
struct MirrorMark {
  std::string name;
  std::optional<MadeDirectory> shown;
  std::optional<MadeDirectory> next;

  std::string text() const;
  // Nothing when it is damaged.
  static std::optional<MirrorMark> parse(const std::string& text);
};

// The file of one mirrored directory, locked as long as this lives.
class MirrorMarkFile {
 public:
  // Below this state directory, for the mirror at this absolute path. Errc::conflict when another
  // process mirrors there; the errors of Folder::open_own().
  static Result<MirrorMarkFile> open(const std::filesystem::path& state_dir,
                                     const std::filesystem::path& mirror);

  // Nothing when there is none, or it is damaged. Errc::io.
  Result<std::optional<MirrorMark>> read() const;
  // There whole when this returns. Errc::io.
  Status write(const MirrorMark& mark) const;

 private:
  MirrorMarkFile(Folder folder, std::string name, Descriptor lock)
      : folder_(std::move(folder)), name_(std::move(name)), lock_(std::move(lock)) {}

  Folder folder_;
  std::string name_;
  Descriptor lock_;
};

}  // namespace ipnscast::tools
