#include "sync/ipfs/unpacker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "sync/ipfs/dag_measure.h"
#include "sync/ipfs/directory_reader.h"
#include "sync/ipfs/workspace.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxDepth = 256;
constexpr size_t kMaxLinkTarget = 4095;
constexpr size_t kMaxName = 255;  // bytes, on every file system that Linux has
constexpr size_t kShownName = 80;
// Below this, writing until the bound is reached costs less than being wrong about a claim.
constexpr uint64_t kLeastClaim = uint64_t{64} << 20;

tl::unexpected<Error> system_error(const fs::path& path, int number) {
  return fail(Errc::io, path.string() + ": " + std::generic_category().message(number));
}

// A file that did not exist before. Closed by the destructor.
class NewFile {
 public:
  explicit NewFile(const fs::path& path)
      : path_(path),
        descriptor_(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Status write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) return system_error(path_, errno);
      if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return {};
  }
  Status opened() const {
    if (descriptor_ < 0) return system_error(path_, errno);
    return {};
  }
  Status close() {
    const int result = ::close(std::exchange(descriptor_, -1));
    if (result != 0) return system_error(path_, errno);
    return {};
  }

 private:
  const fs::path path_;
  int descriptor_;
};

// What strangers named, short enough for a message.
std::string brief(std::string_view text) {
  if (text.size() <= kShownName) return std::string(text);
  return std::string(text.substr(0, kShownName)) + "... (" + std::to_string(text.size()) +
         " bytes)";
}

Status check_name(const std::string& name) {
  const bool leaves = name.empty() || name == "." || name == ".." ||
                      name.find_first_of(std::string_view("/\0", 2)) != name.npos;
  if (leaves)
    return fail(Errc::refused, "a name that would leave the directory: '" + brief(name) + "'");
  if (name.size() > kMaxName)
    return fail(Errc::refused, "a name longer than 255 bytes: '" + brief(name) + "'");
  return {};
}

// A link may climb at its beginning only, and not above the root: its directory is a real one, so
// those steps mean what they say, while a ".." behind the name of another link could lead anywhere.
Status check_link(std::string_view target, size_t depth) {
  const auto refused = [&] {
    return fail(Errc::refused,
                "a symbolic link that would leave the directory: '" + brief(target) + "'");
  };
  if (target.empty() || target.size() > kMaxLinkTarget || target.front() == '/' ||
      target.find('\0') != target.npos) {
    return refused();
  }
  bool climbing = true;
  while (!target.empty()) {
    const std::string_view step = target.substr(0, target.find('/'));
    target.remove_prefix(std::min(target.size(), step.size() + 1));
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      climbing = false;
    } else if (!climbing || depth-- == 0) {
      return refused();
    }
  }
  return {};
}

class TreeWriter {
 public:
  TreeWriter(DagBudget& budget, BlockSource& source, const UnpackOptions& options)
      : budget_(budget), source_(source), options_(options) {}

  // `depth` counts the directories between the tree's root and the path.
  Status write(const Cid& cid, const fs::path& path, size_t depth) {
    if (depth > kMaxDepth) return fail(Errc::too_large, "directories nested too deeply");
    if (Status allowed = budget_.entry(); !allowed) return allowed;
    auto block = budget_.read(source_, cid);
    if (!block) return fail(block.error());
    const auto node = decode_node(cid, std::move(*block));
    if (!node) return fail(node.error().within(cid.to_string()));
    if (options_.bytes && !node->is_file())
      return fail(Errc::mismatch, "bytes are asked of what is no file");
    if (node->is_directory()) return write_directory(*node, path, depth);
    if (node->is_file()) return write_file(*node, path);
    return write_link(*node, path, depth);
  }

  Unpacked totals;

 private:
  Status write_directory(const UnixfsNode& node, const fs::path& path, size_t depth) {
    if (Status fits = check_claims(node); !fits) return fits;
    if (Status made = make_directory(path); !made) return made;
    ++totals.directories;
    if (Status held = budget_.open(node.links.size()); !held) return held;
    Status read =
        read_directory(budget_, source_, node, [&](const std::string& name, const Cid& cid) {
          Status named = check_name(name);
          return named ? write(cid, path / name, depth + 1) : named;
        });
    budget_.close(node.links.size());
    return read;
  }

  Status make_directory(const fs::path& path) {
    const Instant start = std::chrono::steady_clock::now();
    if (::mkdir(path.c_str(), 0777) != 0) return system_error(path, errno);
    budget_.note_made(std::chrono::steady_clock::now() - start);
    return {};
  }

  // What a directory says that its entries weigh, with all below them. An eighth is allowed for
  // what is not content. It may be too little: then writing ends where the bound is.
  Status check_claims(const UnixfsNode& node) const {
    if (options_.limits.max_bytes < kLeastClaim) return {};
    DagTotals claimed;
    for (const PbLink& link : node.links) claimed += {.bytes = link.tsize.value_or(0)};
    claimed.bytes -= claimed.bytes / 8;
    return budget_.expect(claimed);
  }

  Status write_file(const UnixfsNode& node, const fs::path& path) {
    const Instant start = std::chrono::steady_clock::now();
    NewFile file(path);
    Status opened = file.opened();
    if (!opened) return opened;
    budget_.note_made(std::chrono::steady_clock::now() - start);
    const auto size = read_file_content(
        budget_, source_, node, [&](ByteView bytes) { return file.write(bytes); }, options_.bytes);
    if (!size) return fail(size.error());
    ++totals.files;
    totals.bytes += *size;
    return file.close();
  }

  Status write_link(const UnixfsNode& node, const fs::path& path, size_t depth) {
    if (!options_.symlinks)
      return fail(Errc::refused,
                  (depth == 0 ? std::string("the root") : brief(path.filename().string())) +
                      ": a symbolic link, and links were not asked for (--symlinks)");
    const std::string target(as_text(node.data.data.value_or(Bytes())));
    // At depth 0 the link itself would be the tree, with nothing around it to stay inside of.
    Status inside = depth == 0 ? Status(fail(Errc::refused, "the root is a symbolic link"))
                               : check_link(target, depth - 1);
    if (!inside) return inside;
    if (::symlink(target.c_str(), path.c_str()) != 0) return system_error(path, errno);
    ++totals.symlinks;
    return {};
  }

  DagBudget& budget_;
  BlockSource& source_;
  const UnpackOptions& options_;
};

// Of a tree that repeats its blocks: what all of it comes to. Of a file's range the blocks are
// taken to lie evenly.
Status check_whole(BlockSource& source, const Cid& root, const std::optional<ByteRange>& range,
                   const DagLimits& limits) {
  auto whole = measure_tree(source, root, limits);
  if (!whole) return fail(whole.error());
  if (range && whole->bytes > 0) {
    const auto [first, end] = range->within(whole->bytes);
    const double visits = static_cast<double>(whole->visits) * static_cast<double>(end - first) /
                          static_cast<double>(whole->bytes);
    const bool countable = visits < static_cast<double>(limits.max_visits) * 2;
    whole->visits = countable ? static_cast<uint64_t>(visits) : UINT64_MAX;
    whole->bytes = end - first;
  }
  return DagBudget(limits).expect(*whole);
}

bool swap_in(const fs::path& from, const fs::path& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0;
}

Status move_into_place(const fs::path& built, const fs::path& target, bool replace) {
  // After the exchange the workspace has the old tree, which goes with it.
  if (replace && swap_in(built, target, RENAME_EXCHANGE)) return {};
  if (replace && errno != ENOENT) return system_error(target, errno);
  if (swap_in(built, target, RENAME_NOREPLACE)) return {};
  if (errno != EEXIST) return system_error(target, errno);
  // A plain rename of a directory replaces an empty one and nothing else.
  std::error_code ignored;
  if (fs::is_directory(fs::symlink_status(built, ignored)) &&
      ::rename(built.c_str(), target.c_str()) == 0) {
    return {};
  }
  return fail(Errc::conflict, target.string() + ": is there, and no empty directory");
}

Status check_target(const fs::path& target, bool replace) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (!fs::exists(status) || replace) return {};
  if (fs::is_directory(status) && fs::is_empty(target, error) && !error) return {};
  return fail(Errc::conflict, target.string() + ": is there, and no empty directory");
}

bool is_file_block(const Cid& cid, ByteView block) {
  const auto node = decode_node(cid, block);
  return node && node->is_file();
}

}  // namespace

Result<Unpacked> unpack(BlockSource& source, const Cid& root, const fs::path& target,
                        const UnpackOptions& options) {
  const fs::path place = target.has_filename() ? target : target.parent_path();
  const Status free = check_target(place, options.replace);
  if (!free) return fail(free.error());
  const DagLimits& limits = options.limits;
  DagBudget budget(limits);
  budget.on_repeats([&] { return check_whole(source, root, options.bytes, limits); });
  const auto block = budget.read(source, root);
  if (!block) return fail(block.error());
  const bool needs_directory = !options.file_name.empty() && is_file_block(root, *block);
  const auto workspace = Workspace::make_beside(place);
  if (!workspace) return fail(workspace.error());
  const fs::path content = workspace->content();
  TreeWriter writer(budget, source, options);
  Status written;
  if (needs_directory) {
    written = check_name(options.file_name);
    if (written && ::mkdir(content.c_str(), 0777) != 0) written = system_error(place, errno);
    if (written) written = writer.write(root, content / options.file_name, 1);
    ++writer.totals.directories;
  } else {
    written = writer.write(root, content, 0);
  }
  if (written) written = move_into_place(content, place, options.replace);
  if (!written) return fail(written.error());
  return writer.totals;
}

}  // namespace ipnscast::sync
