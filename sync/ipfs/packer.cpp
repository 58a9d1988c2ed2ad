#include "sync/ipfs/packer.h"

#include <fstream>

#include "sync/ipfs/directory_packer.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kMaxDepth = 256;

tl::unexpected<Error> cannot(const fs::path& path, const std::string& why) {
  return fail(Errc::io, path.string() + ": " + why);
}

class TreePacker {
 public:
  TreePacker(const PackOptions& options, BlockSink& sink) : options_(options), sink_(sink) {}

  Result<PackedEntry> pack(const fs::path& path, fs::file_type type, size_t depth) {
    switch (type) {
      case fs::file_type::regular:
        return pack_file(path);
      case fs::file_type::directory:
        return pack_entries(path, depth);
      case fs::file_type::symlink:
        return pack_link(path);
      case fs::file_type::not_found:
        return fail(Errc::not_found, path.string() + ": no such file or directory");
      default:
        return fail(Errc::invalid, path.string() + ": neither file, directory nor symbolic link");
    }
  }

  Packed totals;

 private:
  Result<PackedEntry> pack_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return cannot(path, "cannot open");
    FilePacker packer(options_.profile, sink_);
    Bytes buffer(kReadBytes);
    while (in) {
      if (const Status on = check_time(); !on) return fail(on.error());
      in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
      const Status written = packer.write(ByteView(buffer).first(static_cast<size_t>(in.gcount())));
      if (!written) return fail(written.error());
    }
    if (in.bad()) return cannot(path, "cannot read");
    auto out = packer.finish();
    if (!out) return out;
    ++totals.files;
    totals.bytes += out->size;
    return out;
  }

  Result<PackedEntry> pack_entries(const fs::path& path, size_t depth) {
    if (depth > kMaxDepth) return fail(Errc::too_large, path.string() + ": nested too deeply");
    std::error_code error;
    fs::directory_iterator at(path, error);
    if (error) return cannot(path, error.message());
    std::vector<NamedEntry> entries;
    for (const fs::directory_iterator end; at != end;) {
      if (const Status on = check_time(); !on) return fail(on.error());
      std::string name = at->path().filename().string();
      if (!options_.skip_hidden || name.front() != '.') {
        const fs::file_type type = at->symlink_status(error).type();
        if (error) return cannot(at->path(), error.message());
        auto entry = pack(at->path(), type, depth + 1);
        if (!entry) return entry;
        entries.push_back({std::move(name), std::move(*entry)});
      }
      at.increment(error);
      if (error) return cannot(path, error.message());
    }
    ++totals.directories;
    return pack_directory(std::move(entries), options_.profile, sink_);
  }

  Result<PackedEntry> pack_link(const fs::path& path) {
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return cannot(path, error.message());
    ++totals.symlinks;
    return pack_symlink(target.native(), sink_);
  }

  Status check_time() const {
    if (!options_.deadline || std::chrono::steady_clock::now() < *options_.deadline) return {};
    return fail(Errc::timeout, "not packed within the deadline");
  }

  const PackOptions& options_;
  BlockSink& sink_;
};

}  // namespace

Result<Packed> pack_path(const fs::path& path, const PackOptions& options, BlockSink& sink) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::none) return cannot(path, error.message());
  TreePacker packer(options, sink);
  auto root = packer.pack(path, type, 0);
  if (!root) return fail(std::move(root.error()));
  packer.totals.root = std::move(root->cid);
  return std::move(packer.totals);
}

}  // namespace ipnscast::sync
