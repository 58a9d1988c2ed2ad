#include "ipnscast/sync/ipfs/unixfs/unpacker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <functional>

#include "ipnscast/nostr/base/file/file_error.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/dag_measure.h"
#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"
#include "ipnscast/sync/ipfs/unixfs/workspace.h"

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxUnpackDepth = 256;
constexpr size_t kMaxLinkTarget = 4095;
constexpr size_t kMaxName = 255;  // bytes, on every file system that Linux has
constexpr size_t kShownName = 80;
constexpr size_t kShownDocuments = 20;
// Below this, writing until the bound is reached costs less than being wrong about a claim.
constexpr uint64_t kLeastClaim = uint64_t{64} << 20;
// What one entry adds to the blocks of directories, shards included: more than the longest name
// and the longest CID.
constexpr uint64_t kMostPerEntry = 512;

// A file that did not exist before. Closed by the destructor.
class NewFile {
 public:
  NewFile(const Folder& folder, const std::string& name)
      : path_(folder.path() / name),
        descriptor_(::openat(folder.get(), name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)) {}
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

// A document of IPLD that is no file of UnixFS: its block is what there is to write.
bool is_document(const Cid& cid) {
  return cid.is(Codec::dag_cbor) || cid.is(Codec::dag_json) || cid.is(Codec::cbor) ||
         cid.is(Codec::json);
}

// A new directory, with the permissions that the user's mask leaves.
Result<Folder> make_directory(const Folder& folder, const std::string& name) {
  auto made = folder.make_inner(name, 0777);
  if (!made) return fail(Errc::io, made.error().message);
  return made;
}

class TreeWriter {
 public:
  // `measure` says whether the whole tree is within the limits.
  TreeWriter(DagBudget& budget, BlockSource& source, const UnpackOptions& options,
             std::function<Status()> measure)
      : budget_(budget), source_(source), options_(options), measure_(std::move(measure)) {}

  // `depth` counts the directories between the tree's root and the name.
  Status write(const Cid& cid, const Folder& folder, const std::string& name, size_t depth) {
    if (depth > kMaxUnpackDepth) return fail(Errc::too_large, "directories nested too deeply");
    // We could write it, but hardly any program could open it by its path.
    if (folder.path().native().size() + 1 + name.size() >= PATH_MAX)
      return fail(Errc::too_large, "a path of more than 4,095 bytes");
    if (Status allowed = budget_.entry(); !allowed) return allowed;
    auto block = budget_.read(source_, cid);
    if (!block) return fail(block.error());
    if (is_document(cid)) return write_document(*block, folder, name);
    const auto node = decode_node(cid, std::move(*block));
    if (!node) return fail(node.error().within(place_.empty() ? cid.to_string() : brief(place_)));
    if (options_.bytes && !node->is_file())
      return fail(Errc::mismatch, "bytes are asked of what is no file");
    if (options_.file_only && !node->is_file())
      return fail(Errc::invalid, node->is_directory() ? "this is a directory; ask for a file in it"
                                                      : "this is a symbolic link and no file");
    if (node->is_directory()) return write_directory(*node, folder, name, depth);
    Status written =
        node->is_file() ? write_file(*node, folder, name) : write_link(*node, folder, name, depth);
    return written ? give(node->data.metadata, folder, name, S_IRUSR) : written;
  }

  Unpacked totals;

 private:
  Status write_directory(const UnixfsNode& node, const Folder& folder, const std::string& name,
                         size_t depth) {
    if (Status fits = check_claims(node); !fits) return fits;
    const Instant start = std::chrono::steady_clock::now();
    const auto made = make_directory(folder, name);
    if (!made) return fail(made.error());
    budget_.note_made(std::chrono::steady_clock::now() - start);
    ++totals.directories;
    if (Status held = budget_.open(node.links.size()); !held) return held;
    Status read =
        read_directory(budget_, source_, node, [&](const std::string& inner, const Cid& cid) {
          Status named = check_name(inner);
          if (!named) return named;
          const size_t above = place_.size();
          place_ += (above == 0 ? "" : "/") + inner;
          Status written = write(cid, *made, inner, depth + 1);
          place_.resize(above);
          return written;
        });
    budget_.close(node.links.size());
    if (!read) return read;
    // Behind what is in it. The root is moved yet, which it has to allow.
    if (depth == 0) totals.root = metadata_of(node.data.metadata, S_IRWXU);
    return depth == 0 ? Status{} : give(node.data.metadata, folder, name, S_IRWXU);
  }

  // What is given to something of which we need these permissions if the tree has to stay open.
  FileMetadata metadata_of(FileMetadata metadata, uint32_t needed) const {
    if (!options_.metadata) return {};
    if (metadata.mode && options_.stays_open) *metadata.mode |= needed;
    return metadata;
  }

  Status give(const FileMetadata& metadata, const Folder& folder, const std::string& name,
              uint32_t needed) const {
    Status given = apply_metadata(metadata_of(metadata, needed), folder.get(), name);
    if (!given) return fail(given.error().within(folder.path().string()));
    return {};
  }

  Status write_document(ByteView block, const Folder& folder, const std::string& name) {
    if (options_.bytes) {
      const auto [first, end] = options_.bytes->within(block.size());
      block = block.subspan(first, end - first);
    }
    if (Status fits = budget_.write(block.size()); !fits) return fits;
    NewFile file(folder, name);
    if (Status opened = file.opened(); !opened) return opened;
    if (Status written = file.write(block); !written) return written;
    ++totals.files;
    totals.bytes += block.size();
    if (!place_.empty() && ++documents_ <= kShownDocuments)
      log_warning("unpack",
                  "\"" + brief(place_) +
                      "\" is no file but an IPLD document: its bytes are written as they are");
    return file.close();
  }

  // What a directory says that its entries weigh, with all below them. An eighth is allowed for
  // what is not content. It may be too little: then writing ends where the bound is. It counts the
  // blocks of directories, too, which weigh more than the content where files are tiny: what is too
  // much by less than those can weigh is measured.
  Status check_claims(const UnixfsNode& node) const {
    const DagLimits& limits = options_.limits;
    if (limits.max_bytes < kLeastClaim) return {};
    DagTotals claimed;
    for (const PbLink& link : node.links) claimed += {.bytes = link.tsize.value_or(0)};
    claimed.bytes -= claimed.bytes / 8;
    if (budget_.expect(claimed)) return {};
    const uint64_t most_entries = std::min(limits.max_entries, UINT64_MAX / kMostPerEntry);
    claimed.bytes -= std::min(claimed.bytes, most_entries * kMostPerEntry);
    if (Status fits = budget_.expect(claimed); !fits) return fits;
    return measure_();
  }

  Status write_file(const UnixfsNode& node, const Folder& folder, const std::string& name) {
    if (options_.bytes && node.size() > 0) {
      const auto [first, end] = options_.bytes->within(node.size());
      if (first == end)
        return fail(Errc::invalid, "the bytes " + options_.bytes->to_string() +
                                       " lie outside of the file, which has " +
                                       std::to_string(node.size()));
    }
    const Instant start = std::chrono::steady_clock::now();
    NewFile file(folder, name);
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

  Status write_link(const UnixfsNode& node, const Folder& folder, const std::string& name,
                    size_t depth) {
    if (!options_.symlinks)
      return fail(Errc::refused,
                  (depth == 0 ? std::string("the root") : brief(name)) +
                      ": a symbolic link, and links were not asked for (--symlinks)");
    const std::string target(as_text(node.data.data.value_or(Bytes())));
    // At depth 0 the link itself would be the tree, with nothing around it to stay inside of.
    Status inside = depth == 0 ? Status(fail(Errc::refused, "the root is a symbolic link"))
                               : check_link(target, depth - 1);
    if (!inside) return inside;
    if (::symlinkat(target.c_str(), folder.get(), name.c_str()) != 0)
      return system_error(folder.path() / name, errno);
    ++totals.symlinks;
    return {};
  }

  DagBudget& budget_;
  BlockSource& source_;
  const UnpackOptions& options_;
  const std::function<Status()> measure_;
  std::string place_;  // the path of what is being written, from the root; empty for the root
  size_t documents_ = 0;
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

bool swap(const Workspace& workspace, const std::string& name, unsigned flags) {
  return ::renameat2(workspace.folder().get(), Workspace::kContent, workspace.parent().get(),
                     name.c_str(), flags) == 0;
}

tl::unexpected<Error> occupied(const fs::path& target) {
  return fail(Errc::conflict, target.string() + ": is there, and no empty directory");
}

Status move_into_place(const Workspace& workspace, const std::string& name, bool replace) {
  const fs::path target = workspace.parent().path() / name;
  // After the exchange the workspace has the old tree, which goes with it.
  if (replace && swap(workspace, name, RENAME_EXCHANGE)) return {};
  if (replace && errno != ENOENT) return system_error(target, errno);
  if (swap(workspace, name, RENAME_NOREPLACE)) return {};
  if (errno != EEXIST && errno != EINVAL && errno != ENOSYS) return system_error(target, errno);
  // A plain rename of a directory replaces an empty one and nothing else.
  const auto built = workspace.folder().look(Workspace::kContent);
  if (built && *built && S_ISDIR((*built)->st_mode) && swap(workspace, name, 0)) return {};
  return occupied(target);
}

Status check_target(const FilePlace& place, bool replace) {
  const auto found = place.folder.look(place.name);
  if (!found) return fail(found.error());
  if (!*found || replace) return {};
  if (!S_ISDIR((*found)->st_mode)) return occupied(place.folder.path() / place.name);
  const auto inner = place.folder.open_inner(place.name);
  const auto names = inner ? inner->names() : fail(inner.error());
  if (names && names->empty()) return {};
  return occupied(place.folder.path() / place.name);
}

bool is_file_block(const Cid& cid, ByteView block) {
  if (is_document(cid)) return true;
  const auto node = decode_node(cid, block);
  return node && node->is_file();
}

}  // namespace

Result<Unpacked> unpack_into(BlockSource& source, const Cid& root, const Folder& folder,
                             const std::string& name, const UnpackOptions& options) {
  const DagLimits& limits = options.limits;
  DagBudget budget(limits);
  std::optional<Status> measured;
  const auto measure = [&] {
    if (!measured) measured = check_whole(source, root, options.bytes, limits);
    return *measured;
  };
  budget.on_repeats(measure);
  TreeWriter writer(budget, source, options, measure);
  Status written;
  const auto block = budget.read(source, root);
  if (!block) return fail(block.error());
  if (!options.file_name.empty() && is_file_block(root, *block)) {
    if (Status named = check_name(options.file_name); !named) return fail(named.error());
    const auto made = make_directory(folder, name);
    if (!made) return fail(made.error());
    written = writer.write(root, *made, options.file_name, 1);
    ++writer.totals.directories;
  } else {
    written = writer.write(root, folder, name, 0);
  }
  if (!written) return fail(written.error());
  return writer.totals;
}

Result<Unpacked> unpack(BlockSource& source, const Cid& root, const fs::path& target,
                        const UnpackOptions& options) {
  auto place = place_of(target);
  if (!place) return fail(place.error());
  const std::string name = place->name;
  if (Status free = check_target(*place, options.replace); !free) return fail(free.error());
  auto workspace = Workspace::make_in(std::move(place->folder));
  if (!workspace) return fail(workspace.error());
  if (options.limits.deadline) workspace->remove_by(*options.limits.deadline);
  auto unpacked = unpack_into(source, root, workspace->folder(), Workspace::kContent, options);
  if (!unpacked) return unpacked;
  if (options.replace) workspace->keep_mode_of(name);
  if (Status moved = move_into_place(*workspace, name, options.replace); !moved)
    return fail(moved.error());
  if (options.replace) return unpacked;
  Status given = apply_metadata(unpacked->root, workspace->parent().get(), name);
  if (!given) return fail(given.error().within(target.string()));
  return unpacked;
}

}  // namespace ipnscast::sync
