#include "ipnscast/sync/ipfs/unixfs/packer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "ipnscast/sync/ipfs/unixfs/directory_packer.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kMaxPackDepth = 256;
constexpr size_t kLongestLink = 4095;

tl::unexpected<Error> cannot(const fs::path& path, const std::string& why) {
  return fail(Errc::io, path.string() + ": " + why);
}

tl::unexpected<Error> cannot(const fs::path& path, int number) {
  return cannot(path, std::generic_category().message(number));
}

// Files are read through descriptors, and links below the path are never followed: whoever changes
// the tree meanwhile leads us to nothing outside of it, and a pipe is not waited for.
class TreePacker {
 public:
  TreePacker(const PackOptions& options, BlockSink& sink) : options_(options), sink_(sink) {}

  // The path itself may be a link.
  Result<PackedEntry> pack(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 && errno != ENOENT && errno != ENOTDIR)
      return cannot(path, errno);
    if (status.st_mode == 0)
      return fail(Errc::not_found, path.string() + ": no such file or directory");
    if (S_ISREG(status.st_mode)) return pack_file(Descriptor(::open(path.c_str(), kRead)), path);
    if (!S_ISDIR(status.st_mode)) return odd(path);
    const auto folder = Folder::open(path);
    if (!folder) return fail(folder.error());
    return pack_entries(*folder, path, 0);
  }

  Packed totals;

 private:
  static constexpr int kRead = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

  static tl::unexpected<Error> odd(const fs::path& path) {
    return fail(Errc::invalid, path.string() + ": neither file, directory nor symbolic link");
  }
  Status allow(FileId id, const fs::path& path) const {
    return options_.allow ? options_.allow(id, path) : Status{};
  }

  Result<PackedEntry> pack_entry(const Folder& folder, const std::string& name,
                                 const fs::path& path, size_t depth) {
    const auto found = folder.look(name);
    if (!found) return fail(found.error());
    if (!*found) return cannot(path, ENOENT);
    const mode_t mode = (*found)->st_mode;
    if (S_ISREG(mode))
      return pack_file(Descriptor(::openat(folder.get(), name.c_str(), kRead | O_NOFOLLOW)), path);
    if (S_ISLNK(mode)) return pack_link(folder, name, path);
    if (!S_ISDIR(mode)) return odd(path);
    const auto inner = folder.open_inner(name);
    if (!inner) return fail(inner.error());
    return pack_entries(*inner, path, depth);
  }

  Result<PackedEntry> pack_file(const Descriptor& file, const fs::path& path) {
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return cannot(path, errno);
    if (!S_ISREG(status.st_mode)) return odd(path);
    if (Status allowed = allow(id_of(status), path); !allowed) return fail(allowed.error());
    FilePacker packer(options_.profile, sink_);
    Bytes buffer(kReadBytes);
    for (ssize_t got = 1; got != 0;) {
      if (const Status on = check_time(); !on) return fail(on.error());
      got = ::read(file.get(), buffer.data(), buffer.size());
      if (got < 0 && errno != EINTR) return cannot(path, errno);
      if (got <= 0) continue;
      const Status written = packer.write(ByteView(buffer).first(static_cast<size_t>(got)));
      if (!written) return fail(written.error());
    }
    auto out = packer.finish();
    if (!out) return out;
    ++totals.files;
    totals.bytes += out->size;
    return out;
  }

  Result<PackedEntry> pack_entries(const Folder& folder, const fs::path& path, size_t depth) {
    if (depth > kMaxPackDepth) return fail(Errc::too_large, path.string() + ": nested too deeply");
    if (Status allowed = allow(folder.id(), path); !allowed) return fail(allowed.error());
    const auto names = folder.names();
    if (!names) return fail(Errc::io, names.error().message);
    std::vector<NamedEntry> entries;
    for (const std::string& name : *names) {
      if (const Status on = check_time(); !on) return fail(on.error());
      if (options_.skip_hidden && name.front() == '.') {
        ++totals.hidden;
        continue;
      }
      auto entry = pack_entry(folder, name, path / name, depth + 1);
      if (!entry) return entry;
      entries.push_back({name, std::move(*entry)});
    }
    ++totals.directories;
    return pack_directory(std::move(entries), options_.profile, sink_);
  }

  Result<PackedEntry> pack_link(const Folder& folder, const std::string& name,
                                const fs::path& path) {
    std::string target(kLongestLink + 1, '\0');
    const ssize_t size = ::readlinkat(folder.get(), name.c_str(), target.data(), target.size());
    if (size < 0) return cannot(path, errno);
    target.resize(static_cast<size_t>(size));
    if (target.size() > kLongestLink) return cannot(path, ENAMETOOLONG);
    ++totals.symlinks;
    return pack_symlink(target, sink_);
  }

  Status check_time() const {
    if (options_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (!options_.deadline || std::chrono::steady_clock::now() < *options_.deadline) return {};
    return fail(Errc::timeout, "not packed within the deadline");
  }

  const PackOptions& options_;
  BlockSink& sink_;
};

}  // namespace

Result<Packed> pack_path(const fs::path& path, const PackOptions& options, BlockSink& sink) {
  TreePacker packer(options, sink);
  auto root = packer.pack(path);
  if (!root) return fail(std::move(root.error()));
  packer.totals.root = std::move(root->cid);
  return std::move(packer.totals);
}

}  // namespace ipnscast::sync
