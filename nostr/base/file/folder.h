#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// A file descriptor that closes itself. -1: none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

// What a file or directory is, whatever it is called.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};
inline FileId id_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

// An open directory. Whatever is made, looked at or removed in it is reached through its descriptor
// by one name, and links are never followed: whoever renames what stands on the way, or plants a
// link under a name of ours, leads us nowhere else. Any thread.
class Folder {
 public:
  // Links on the way are followed. Errc::not_found, Errc::io.
  static Result<Folder> open(const std::filesystem::path& path);
  // A directory of ours alone, such as that of the state: made with mode 0700 where it is absent,
  // as are those above it. Errc::refused when it, or the link that leads to it, belongs to another
  // user, or when everybody may write into it; Errc::io.
  static Result<Folder> open_own(const std::filesystem::path& path);

  // A directory in this one. Errc::not_found, Errc::refused for a link or what is no directory,
  // Errc::io.
  Result<Folder> open_inner(const std::string& name) const;
  // Makes a directory that was not there before. Errc::conflict, Errc::io.
  Result<Folder> make_inner(const std::string& name, mode_t mode) const;

  // The same directory once more. Errc::io.
  Result<Folder> duplicate() const;

  // Nothing when there is nothing of this name. Errc::io.
  Result<std::optional<struct stat>> look(const std::string& name) const;
  // Whether the name stands for what is open there.
  bool holds(const std::string& name, int descriptor) const;
  // The names in it, without "." and "..". Errc::io.
  Result<std::vector<std::string>> names() const;
  // Removes a tree. Nothing happens when the name stands for something other than `expected`. Other
  // file systems that are mounted in the tree are left alone. Errc::timeout when something of it is
  // left at `end`; Errc::io.
  Status remove_tree(const std::string& name, FileId expected,
                     std::optional<Instant> end = {}) const;

  int get() const { return descriptor_.get(); }
  FileId id() const { return id_of(status_); }
  // Whether users other than us and the administrator may put something into it.
  bool others_may_write() const;
  // Whether they may give a name in it to what is ours: in a directory of theirs, or one that its
  // group or everybody may write to and that is not sticky.
  bool others_may_rename() const;
  // What it was opened as, for messages.
  const std::filesystem::path& path() const { return path_; }

 private:
  Folder(Descriptor descriptor, const struct stat& status, std::filesystem::path path)
      : descriptor_(std::move(descriptor)), status_(status), path_(std::move(path)) {}
  static Result<Folder> of(int number, std::filesystem::path path);

  Descriptor descriptor_;  // opened with O_PATH
  struct stat status_;
  std::filesystem::path path_;
};

// A path as the directory that holds its last name, and that name. "dir/" and "dir" are the same
// place. Errc::invalid for a path that has no last name, else as Folder::open().
struct FilePlace {
  Folder folder;
  std::string name;
};
Result<FilePlace> place_of(const std::filesystem::path& path);

// Gives a new file or directory the mode of the one that it replaces, as far as `most` allows.
// Where its group cannot be kept, ours may do no more than everybody. On a file system that has no
// modes it stays as it was made.
void keep_mode(int descriptor, const struct stat& replaced, mode_t most);

// A hidden name of ours that nobody can guess, and whether a name has this form.
std::string temporary_name();
bool is_temporary_name(std::string_view name);
// Removes what processes of ours that were killed left under such names: files and directories that
// belong to us and that nobody holds a lock (flock) on. Not in a directory where others could have
// given such a name to something else of ours. Whoever waits for it has other things to do: what is
// left after `most` is for the next one.
void remove_abandoned(const Folder& folder, Milliseconds most = Milliseconds(100));

}  // namespace ipnscast
