#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/file/folder.h"
#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"
#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {

struct UnpackOptions {
  // Swaps the new tree with what is at the target, atomically, and removes that; the mode of the
  // target stays. Without it the target has to be absent, or an empty directory when the root is
  // one.
  bool replace = false;
  // Makes symbolic links, if they are relative and stay inside. Without it a tree that has one is
  // refused.
  bool symlinks = false;
  // A root that is a file is put into a new directory at the target, under this name. Empty: it
  // becomes the target.
  std::string file_name;
  std::optional<ByteRange> bytes;  // only these, of a root that is a file
  bool file_only = false;          // a root that is no file is Errc::invalid
  // Gives files and directories the permissions and times that the tree has for them, where it has
  // any (file_metadata.h).
  bool metadata = true;
  // Whoever makes the tree can read and replace it, whatever permissions it has.
  bool stays_open = false;
  DagLimits limits{};  // by the deadline all is written, or given up
};

struct Unpacked {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t symlinks = 0;
  uint64_t bytes = 0;
  FileMetadata root{};  // of a root that is a directory: still to be given to it
};

// Writes the UnixFS tree under `root` to disk, each block verified. It grows beside the target
// in a hidden directory (workspace.h) and is renamed onto it when it is complete; whatever fails,
// the target is as it was, and what a killed process left beside it, or one whose deadline had come
// before it was removed, the next one removes. No name
// can lead out of the tree: empty ones, ".", "..", and those with '/' or NUL are refused. IPLD
// documents that a directory links to (dag-cbor, dag-json, cbor, json) are written as their bytes,
// as is a root that is one. A DAG that repeats its blocks, or claims to weigh too much, is measured
// before it is written any further, so that one which stands for more than the bounds is refused
// early. Errc::not_found for
// missing blocks, Errc::signature, Errc::parse, Errc::unsupported, Errc::refused (a name or a link
// that would leave, a link unasked), Errc::mismatch (bytes of what is no file), Errc::too_large,
// Errc::timeout, Errc::conflict (the target is there), Errc::io.
Result<Unpacked> unpack(BlockSource& source, const Cid& root, const std::filesystem::path& target,
                        const UnpackOptions& options = {});

// The same into an open directory under a name that is absent there, piece by piece: what was
// written before a failure stays, so that the folder has to be a workspace. `replace` means nothing
// here.
Result<Unpacked> unpack_into(BlockSource& source, const Cid& root, const Folder& folder,
                             const std::string& name, const UnpackOptions& options = {});

// Writes a file's content in order, or the range of it; blocks outside of that are not read. How
// many bytes it was. The same errors, without the disk's; Errc::mismatch when it is no file; the
// callback's error ends it.
using OnBytes = std::function<Status(ByteView)>;
Result<uint64_t> read_file_content(BlockSource& source, const Cid& file, uint64_t max_bytes,
                                   const OnBytes& on_bytes,
                                   const std::optional<ByteRange>& range = {});
// The same on the account of a walk, of a file whose first block is read already.
Result<uint64_t> read_file_content(DagBudget& budget, BlockSource& source, const UnixfsNode& file,
                                   const OnBytes& on_bytes,
                                   const std::optional<ByteRange>& range = {});

}  // namespace ipnscast::sync
