#pragma once

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast {

// A file that grows beside its place, under a random name that was not there before, and is moved
// there in one step when it is whole. Until then, and whatever fails, what stands at the place is
// as it was: it is never opened, so that no link is followed, no pipe waited for, and no other name
// of the same file changed. Locked (flock) as long as it lives; what a process that was killed left
// behind, the next one removes. One thread at a time.
class PendingFile {
 public:
  enum class Over {
    nothing,  // the place has to be absent
    file,     // an ordinary file that is there is replaced
  };
  // Errc::conflict when the place is occupied: by a file too, as `over` says, or by what is no
  // ordinary file. Errc::refused for a file of another user in a directory that others may write
  // to. Errc::io. A new file has `mode`, less the user's mask. One that is replaced keeps its own
  // mode, but nobody may read or write it whom `mode` leaves out.
  static Result<PendingFile> create(const std::filesystem::path& path, Over over, mode_t mode);
  // The same in an open directory.
  static Result<PendingFile> create(Folder folder, std::string name, Over over, mode_t mode);
  PendingFile(PendingFile&&) noexcept = default;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  // Errc::io, here and below.
  Status write(ByteView bytes);
  // Over what was written at this offset.
  Status write_at(uint64_t offset, ByteView bytes);
  // Moves it into place; with `durable` it is there after a power failure too. The errors of
  // create(), too.
  Status commit(bool durable = false);

 private:
  PendingFile(Folder folder, std::string name, std::string temporary, Over over,
              Descriptor descriptor)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        temporary_(std::move(temporary)),
        over_(over),
        descriptor_(std::move(descriptor)) {}
  Status move() const;

  Folder folder_;
  std::string name_;
  std::string temporary_;
  Over over_;
  Descriptor descriptor_;  // none: committed, or moved from
};

// The whole content at once. "/dev/stdout", "/dev/stderr" and "/dev/fd/N", which the shell hands
// over too, are written to as they are.
Status write_file(const std::filesystem::path& path, ByteView bytes);

}  // namespace ipnscast
